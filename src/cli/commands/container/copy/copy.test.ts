import { afterAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { absolute, planCopy, renamed, splitArgument, splitEntry } from "./paths.ts";
import { writeTar } from "./tar-writer.ts";
import { unpack } from "./unpack.ts";

const root = mkdtempSync(join(tmpdir(), "havre-copy-"));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
const freshFolder = () => {
  const path = join(root, `f${count++}`);
  mkdirSync(path);
  return path;
};
const noSkip = (name: string) => {
  throw new Error(`skipped ${name}`);
};

/** The archive in pieces of an awkward size. */
async function* pieces(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of source)
    for (let at = 0; at < chunk.byteLength; at += size) yield chunk.subarray(at, at + size);
}

test.each([
  ["web:/etc", { container: "web", path: "/etc" }],
  ["/etc:x", { path: "/etc:x" }],
  ["./a:b", { path: "./a:b" }],
  ["plain", { path: "plain" }],
] as const)("argument %s", (text, expected) => {
  expect(splitArgument(text)).toEqual(expected);
});

test("a trailing dot or slash survives", () => {
  expect(absolute("/a/b/.")).toBe("/a/b/.");
  expect(absolute("/a/b/")).toBe("/a/b/");
  expect(absolute("/a//b/../c")).toBe("/a/c");
  expect(splitEntry("/a/b/.")).toEqual({ folder: "/a/b", base: "." });
  expect(splitEntry("/a/b/")).toEqual({ folder: "/a", base: "b" });
});

describe("where a copy goes", () => {
  const file = { path: "/s/file", exists: true, isFolder: false };
  const folder = { path: "/s/dir", exists: true, isFolder: true };
  test("into a folder: as it is called", () => {
    expect(planCopy(file, { path: "/d", exists: true, isFolder: true })).toEqual({ folder: "/d" });
  });
  test("onto a file, or a new name: renamed", () => {
    const plan = planCopy(file, { path: "/d/new", exists: false, isFolder: false });
    expect(plan).toEqual({ folder: "/d", rename: { from: "file", to: "new" } });
    expect(renamed("file", plan)).toBe("new");
  });
  test("the content of a folder to a new name", () => {
    const plan = planCopy({ ...folder, path: "/s/dir/." }, { path: "/d/new", exists: false, isFolder: false });
    expect([renamed("./", plan), renamed("./a/b", plan)]).toEqual(["new/", "new/a/b"]);
  });
  test("a folder onto a file, and a file to a folder that is not there, are refused", () => {
    expect(() => planCopy(folder, { path: "/d/f", exists: true, isFolder: false })).toThrow("cannot copy directory");
    expect(() => planCopy(file, { path: "/d/new/", exists: false, isFolder: false })).toThrow("no such directory");
  });
});

describe("archives", () => {
  test.each([1, 511, 513, 100_000])("a tree survives a round trip in pieces of %i bytes", async (size) => {
    const [from, to] = [freshFolder(), freshFolder()];
    const long = join(from, "t", "p".repeat(120), "q".repeat(120));
    mkdirSync(long, { recursive: true });
    writeFileSync(join(long, "deep"), "deep down");
    writeFileSync(join(from, "t", "big"), Buffer.alloc(3000, 7), { mode: 0o640 });
    writeFileSync(join(from, "t", "empty"), "");
    linkSync(join(from, "t", "big"), join(from, "t", "again"));
    symlinkSync("../nowhere", join(from, "t", "link"));
    await unpack(pieces(writeTar(join(from, "t"), "t"), size), { folder: to }, noSkip);
    expect(readFileSync(join(to, "t", "p".repeat(120), "q".repeat(120), "deep"), "utf8")).toBe("deep down");
    expect(readFileSync(join(to, "t", "big"))).toEqual(Buffer.alloc(3000, 7));
    expect(statSync(join(to, "t", "big")).mode & 0o777).toBe(0o640);
    expect(statSync(join(to, "t", "again")).ino).toBe(statSync(join(to, "t", "big")).ino);
    expect(readlinkSync(join(to, "t", "link"))).toBe("../nowhere");
    expect(Math.abs(statSync(join(to, "t", "big")).mtimeMs - statSync(join(from, "t", "big")).mtimeMs)).toBeLessThan(2);
  });

  test("GNU tar reads what is written, and what it writes is read", async () => {
    const [from, to] = [freshFolder(), freshFolder()];
    mkdirSync(join(from, "d"));
    writeFileSync(join(from, "d", "n".repeat(150)), "x");
    const archive = join(from, "a.tar");
    writeFileSync(archive, Buffer.concat(await Array.fromAsync(writeTar(join(from, "d"), "d"))));
    expect(execFileSync("tar", ["-tf", archive], { encoding: "utf8" })).toBe(`d/\nd/${"n".repeat(150)}\n`);
    execFileSync("tar", ["-C", from, "--format=gnu", "-cf", archive, "d"]);
    await unpack(pieces(Bun.file(archive).stream(), 1000), { folder: to }, noSkip);
    expect(existsSync(join(to, "d", "n".repeat(150)))).toBe(true);
  });

  test("nothing is written outside, by name or through a link", async () => {
    const [from, to] = [freshFolder(), freshFolder()];
    writeFileSync(join(from, "f"), "evil");
    const outside = join(root, "outside");
    await expect(unpack(writeTar(join(from, "f"), "../outside"), { folder: to }, noSkip)).rejects.toMatchObject({
      kind: "permission-denied",
    });
    symlinkSync(root, join(to, "way"));
    await expect(unpack(writeTar(join(from, "f"), "way/outside"), { folder: to }, noSkip)).rejects.toMatchObject({
      kind: "permission-denied",
    });
    expect(existsSync(outside)).toBe(false);
  });

  test("a link in the destination is replaced, not written through", async () => {
    const [from, to] = [freshFolder(), freshFolder()];
    writeFileSync(join(from, "f"), "new");
    writeFileSync(join(from, "target"), "old");
    symlinkSync(join(from, "target"), join(to, "f"));
    await unpack(writeTar(join(from, "f"), "f"), { folder: to }, noSkip);
    expect(lstatSync(join(to, "f")).isFile()).toBe(true);
    expect(readFileSync(join(from, "target"), "utf8")).toBe("old");
  });

  test("an archive that is cut short is an error", async () => {
    const [from, to] = [freshFolder(), freshFolder()];
    writeFileSync(join(from, "f"), "x".repeat(5000));
    const whole = Buffer.concat(await Array.fromAsync(writeTar(join(from, "f"), "f")));
    async function* cut() {
      yield whole.subarray(0, 3000);
    }
    await expect(unpack(cut(), { folder: to }, noSkip)).rejects.toMatchObject({ kind: "data-loss" });
  });

  test("a folder is not replaced by a file, nor a file by a folder", async () => {
    const [from, to] = [freshFolder(), freshFolder()];
    writeFileSync(join(from, "x"), "file");
    mkdirSync(join(to, "x"));
    await expect(unpack(writeTar(join(from, "x"), "x"), { folder: to }, noSkip)).rejects.toMatchObject({
      kind: "conflict",
    });
    await expect(
      unpack(writeTar(to, "y"), { folder: from, rename: { from: "y", to: "x" } }, noSkip),
    ).rejects.toMatchObject({
      kind: "conflict",
    });
  });
});
