import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, HavreError } from "../base/mod.ts";

/** Tells the supervisor whose folder this is the size of its terminal; `conflict` when it is gone. */
export function writeTerminalSize(folder: string, rows: number, columns: number, subject: string): void {
  writeControl(folder, `1 ${rows} ${columns}\n`, subject);
}

function writeControl(folder: string, line: string, subject: string): void {
  try {
    const fd = openSync(join(folder, "ctl"), constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(fd, line);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errnoOf(error) === "ENXIO" || errnoOf(error) === "ENOENT") {
      throw new HavreError("conflict", `${subject} is not running`, { cause: error });
    }
    throw error;
  }
}
