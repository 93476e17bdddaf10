import { afterAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTreeFolder, readTreeFile } from "./tree-files.ts";

const folder = mkdtempSync(join(tmpdir(), "havre-tree-"));
const root = join(folder, "root");
mkdirSync(join(root, "etc"), { recursive: true });
writeFileSync(join(folder, "secret"), "outside");
writeFileSync(join(root, "etc/real"), "inside");
afterAll(() => rmSync(folder, { recursive: true }));

test("links stay inside, absolute ones and .. too", () => {
  symlinkSync("/etc/real", join(root, "etc/absolute"));
  symlinkSync("../../../../../etc/real", join(root, "etc/upwards"));
  symlinkSync("/../secret", join(root, "etc/escape"));
  symlinkSync("loop", join(root, "etc/loop"));
  expect(readTreeFile(root, "/etc/absolute", 100)).toBe("inside");
  expect(readTreeFile(root, "/etc/upwards", 100)).toBe("inside");
  expect(readTreeFile(root, "/etc/escape", 100)).toBeUndefined();
  expect(readTreeFile(root, "/etc/loop", 100)).toBeUndefined();
  expect(readTreeFile(root, "/etc/none/deeper", 100)).toBeUndefined();
});

test("a pipe or folder is no file, and a large file is refused", () => {
  execFileSync("mkfifo", [join(root, "etc/pipe")]);
  expect(readTreeFile(root, "/etc/pipe", 100)).toBeUndefined();
  expect(readTreeFile(root, "/etc", 100)).toBeUndefined();
  expect(() => readTreeFile(root, "/etc/real", 3)).toThrow("/etc/real has 6 bytes: more than 3 are not read");
});

test("folders are made inside, through links inside", () => {
  symlinkSync("/made", join(root, "link"));
  mkdirSync(join(root, "made"));
  makeTreeFolder(root, "/link/a/../b/c");
  expect(statSync(join(root, "made/b/c")).mode & 0o777).toBe(0o755);
  makeTreeFolder(root, "/link/a/../b/c");
  symlinkSync("/../out", join(root, "bad"));
  expect(() => makeTreeFolder(root, "/bad/x")).toThrow("Cannot mkdir: /bad/x is not a directory");
  expect(existsSync(join(folder, "out"))).toBe(false);
  expect(() => makeTreeFolder(root, "/etc/real/x")).toThrow("Cannot mkdir: /etc/real/x is not a directory");
});
