import { HavreError, toHavreError } from "../../base/mod.ts";
import { nodeFs } from "../node-fs.ts";

/** A standard stream as commands use it. */
export interface Output {
  readonly isTerminal: boolean;
  write(data: Uint8Array | string): void;
  line(text: string): void;
}

/**
 * Writes at once with write(2): loading the runtime's own stream objects costs more than most commands do
 * (docs/decisions/command-line-start-up.md).
 */
export function descriptorOutput(fd: number): Output {
  const write = (data: Uint8Array | string) => writeFully(fd, typeof data === "string" ? Buffer.from(data) : data);
  return {
    get isTerminal() {
      return isTerminal(fd);
    },
    write,
    line: (text) => write(`${text}\n`),
  };
}

/** Where nothing is to be said. */
export const SILENT: Output = { isTerminal: false, write: () => {}, line: () => {} };

const FIRST_PSEUDO_TERMINAL_MAJOR = 136;
const LAST_PSEUDO_TERMINAL_MAJOR = 143;

/** True when the descriptor is a terminal, told by its device number (Linux, Documentation/admin-guide/devices.txt). */
export function isTerminal(fd: number): boolean {
  try {
    const stat = nodeFs().fstatSync(fd);
    if (!stat.isCharacterDevice()) return false;
    const major = (stat.rdev >> 8) & 0xfff;
    const isConsole = major === 4 || major === 5 || major === 204 || major === 229;
    return isConsole || (major >= FIRST_PSEUDO_TERMINAL_MAJOR && major <= LAST_PSEUDO_TERMINAL_MAJOR);
  } catch {
    return false;
  }
}

/** Exit as a program does whose reader has gone: `havre logs | head`. */
const EXIT_BROKEN_PIPE = 141;
function unwritable(fd: number, cause: unknown): HavreError {
  const { kind, message } = toHavreError(cause);
  return new HavreError(kind, `write /dev/std${fd === 1 ? "out" : "err"}: ${message}`, { cause });
}

const RETRY_MS = 2;

function writeFully(fd: number, data: Uint8Array): void {
  const { writeSync } = nodeFs();
  let at = 0;
  while (at < data.byteLength) {
    try {
      at += writeSync(fd, data, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") process.exit(EXIT_BROKEN_PIPE);
      // Someone made the shared descriptor non-blocking: wait for the reader.
      if (code !== "EAGAIN") throw unwritable(fd, error);
      Bun.sleepSync(RETRY_MS);
    }
  }
}
