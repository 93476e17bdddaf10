import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SealedProgram } from "./sealed-program.ts";

test("the copy runs, cannot be written, and follows a replaced program", () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-sealed-"));
  const source = join(folder, "program");
  const write = (says: string) => {
    rmSync(source, { force: true });
    writeFileSync(source, `#!/bin/sh\necho ${says}\n`);
    chmodSync(source, 0o755);
  };
  const said = (path: string) => spawnSync(path, { encoding: "utf8" }).stdout;
  write("one");
  using program = new SealedProgram(source);
  const first = program.path();
  expect(said(first)).toBe("one\n");
  expect(program.path()).toBe(first);
  expect(() => writeFileSync(openSync(first, "r+"), "x")).toThrow();
  write("two, longer");
  expect(said(program.path())).toBe("two, longer\n");
  rmSync(folder, { recursive: true });
});
