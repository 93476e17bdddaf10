import { afterEach, beforeEach, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDirectory } from "./directory.ts";
import { S_IFBLK, S_IFCHR, S_IFMT } from "./file-stat.ts";
import {
  AT_FDCWD,
  chownAt,
  closeFd,
  linkAt,
  mknodAt,
  nextData,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openAt,
  readAt,
  readLinkAt,
  setMtimeAt,
  statAt,
  statAtIfAny,
  symlinkAt,
  truncateFd,
  unlinkAt,
  writeAt,
} from "./files.ts";
import { openInRoot } from "./tree-path.ts";
import { getXattr, listXattrs, pathBelow, removeXattr, setXattr } from "./xattr.ts";

let folder: string;
let fd: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-files-"));
  fd = openAt(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY);
});
afterEach(() => {
  closeFd(fd);
  rmSync(folder, { recursive: true });
});

test("devices keep their numbers, the large ones too", () => {
  mknodAt(fd, "c", S_IFCHR | 0o600, 4095, 1_048_575);
  mknodAt(fd, "b", S_IFBLK | 0o600, 8, 300);
  expect(statAt(fd, "c")).toMatchObject({ deviceMajor: 4095, deviceMinor: 1_048_575 });
  expect(statAt(fd, "b").mode & S_IFMT).toBe(S_IFBLK);
  expect(execFileSync("stat", ["-c", "%t %T", join(folder, "b")], { encoding: "utf8" })).toBe("8 12c\n");
});

test("owners beyond 65535 and times to the nanosecond, of links themselves", () => {
  symlinkAt("nowhere", fd, "l");
  chownAt(fd, "l", 4_000_000_000, 70_000);
  for (const mtime of [1_234_567_890_123_456_789n, -1n, 0n, -1_500_000_000n]) {
    setMtimeAt(fd, "l", mtime);
    expect(statAt(fd, "l")).toMatchObject({ uid: 4_000_000_000, gid: 70_000, mtime });
  }
});

test("names are bytes", () => {
  const name = Uint8Array.from([0xff, 0x20, 0x0a]);
  symlinkAt(Uint8Array.from([0xfe]), fd, name);
  expect([...readDirectory(openAgain())].map((entry) => [...entry.name])).toEqual([[0xff, 0x20, 0x0a]]);
  expect([...readLinkAt(fd, name)]).toEqual([0xfe]);
  linkAt(fd, name, fd, "hard");
  expect(statAt(fd, "hard").links).toBe(2);
  unlinkAt(fd, name);
  expect(statAtIfAny(fd, name)).toBeUndefined();
  expect(() => symlinkAt("x", fd, "a\0b")).toThrow("NUL");
});

function openAgain(): number {
  closeFd(fd);
  fd = openAt(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY);
  return fd;
}

test("a folder of many names is listed whole", () => {
  for (let index = 0; index < 3000; index++) writeFileSync(join(folder, `file-with-a-long-name-${index}`), "");
  expect(new Set([...readDirectory(fd)].map(({ name }) => Buffer.from(name).toString())).size).toBe(3000);
});

test("holes are found, positions beyond 4 GiB are kept", () => {
  writeFileSync(join(folder, "f"), "");
  const file = openAt(fd, "f", O_WRONLY);
  writeAt(file, Buffer.from("far"), 5 * 2 ** 30);
  truncateFd(file, 6 * 2 ** 30);
  closeFd(file);
  const again = openAt(fd, "f", O_RDONLY);
  const data = nextData(again, 0);
  expect(data?.offset).toBe(5 * 2 ** 30);
  expect(nextData(again, (data?.offset ?? 0) + (data?.length ?? 0))).toBeUndefined();
  const buffer = new Uint8Array(4);
  expect(readAt(again, buffer, 5 * 2 ** 30)).toBe(4);
  expect(Buffer.from(buffer).toString()).toBe("far\0");
  closeFd(again);
});

test("extended attributes of files and links, empty and large", () => {
  symlinkSync("x", join(folder, "l"));
  const large = new Uint8Array(3000).fill(7);
  setXattr(pathBelow(fd, "l"), "trusted.large", large);
  setXattr(pathBelow(fd, "l"), "trusted.empty", new Uint8Array());
  expect(listXattrs(join(folder, "l"))).toEqual(["trusted.empty", "trusted.large"]);
  expect(getXattr(join(folder, "l"), "trusted.large")).toEqual(large);
  expect(getXattr(join(folder, "l"), "trusted.empty")).toEqual(new Uint8Array());
  removeXattr(join(folder, "l"), "trusted.large");
  removeXattr(join(folder, "l"), "trusted.large");
  expect(getXattr(join(folder, "l"), "trusted.large")).toBeUndefined();
  expect(() => setXattr(join(folder, "none"), "user.a", large)).toThrow(/lsetxattr user.a .*none: ENOENT/);
});

test("a path is found as if the folder were the root", () => {
  mkdirSync(join(folder, "etc"));
  writeFileSync(join(folder, "etc/passwd"), "inside");
  const links = { abs: "/etc/passwd", up: "../../../../etc/passwd", chain: "/abs", magic: "/proc/self/root" };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, name));
  for (const path of ["etc/passwd", "/etc/passwd", "abs", "up", "chain", "../../etc/passwd", "etc/../abs"]) {
    const found = openInRoot(fd, path, O_RDONLY);
    expect(readFileSync(found, "utf8")).toBe("inside");
    closeFd(found);
  }
  expect(() => openInRoot(fd, "magic", O_PATH)).toThrow("ENOENT");
  const link = openInRoot(fd, "abs", O_PATH | O_NOFOLLOW);
  expect(Buffer.from(readLinkAt(link, "")).toString()).toBe("/etc/passwd");
  closeFd(link);
});
