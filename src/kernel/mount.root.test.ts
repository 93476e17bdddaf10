import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bindMount,
  mount,
  mountInfo,
  mountOverlay,
  moveMount,
  parseMountInfo,
  setPropagation,
  unmount,
} from "./mount.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-mount-"));
});
afterEach(() => {
  for (const { mountPoint } of mountInfo().reverse()) if (mountPoint.startsWith(folder)) unmount(mountPoint);
  rmSync(folder, { recursive: true });
});

const dir = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
};
const mounted = (path: string) => mountInfo().find((info) => info.mountPoint === path);

test("a mount appears with its options and is gone after unmount", () => {
  const target = dir("a b");
  mount({ type: "tmpfs", source: "tmpfs", options: ["nosuid", "ro", "size=64k", "mode=700"] }, target);
  expect(mounted(target)?.type).toBe("tmpfs");
  expect(mounted(target)?.options).toContain("nosuid");
  expect(mounted(target)?.superOptions).toContain("size=64k");
  expect(unmount(target)).toBe(true);
  expect(mounted(target)).toBeUndefined();
  expect(unmount(target)).toBe(false);
});

test("a read-only bind is really read-only", () => {
  const source = dir("source");
  const target = dir("target");
  bindMount(source, target, { readOnly: true });
  expect(() => writeFileSync(join(target, "x"), "")).toThrow("EROFS");
  writeFileSync(join(source, "x"), "");
  expect(existsSync(join(target, "x"))).toBe(true);
});

test("a failed mount names the call, the target and the errno", () => {
  expect(() => mount({ type: "nosuchfs", source: "x", options: [] }, dir("t"))).toThrow(/mount .*: ENODEV/);
});

test("a mount moves", () => {
  const parent = dir("parent");
  mount({ type: "tmpfs", source: "tmpfs", options: [] }, parent);
  setPropagation(parent, "private");
  const from = dir("parent/from");
  const to = dir("parent/to");
  mount({ type: "tmpfs", source: "tmpfs", options: [] }, from);
  moveMount(from, to);
  expect(mounted(from)).toBeUndefined();
  expect(mounted(to)?.type).toBe("tmpfs");
});

test("an overlay of 127 layers with long paths mounts, the highest layer first", () => {
  const base = dir("l".repeat(100));
  const lower: string[] = [];
  for (let index = 0; index < 127; index++) {
    const layer = dir(`${"l".repeat(100)}/${index}/fs`);
    writeFileSync(join(layer, `only-${index}`), "");
    writeFileSync(join(layer, "top"), `${index}`);
    lower.unshift(layer);
  }
  const target = dir("merged");
  mountOverlay({ lower, upper: dir(`${"l".repeat(100)}/up`), work: dir(`${"l".repeat(100)}/work`), base }, target);
  expect(existsSync(join(target, "only-0"))).toBe(true);
  expect(existsSync(join(target, "only-126"))).toBe(true);
  writeFileSync(join(target, "new"), "");
  expect(existsSync(join(base, "up", "new"))).toBe(true);
});

test("colons and commas in an overlay's paths are kept", () => {
  const lower = dir("a:b,c\\d");
  writeFileSync(join(lower, "x"), "");
  const target = dir("merged");
  mountOverlay({ lower: [lower, dir("low:er")], upper: dir("up,per:"), work: dir("wo,rk:"), base: folder }, target);
  expect(existsSync(join(target, "x"))).toBe(true);
});

test("mountinfo's escapes and optional fields", () => {
  const [info] = parseMountInfo(
    "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n",
  );
  expect(info).toMatchObject({
    id: 36,
    parent: 35,
    mountPoint: "/mnt 2",
    tags: ["master:1", "shared:2"],
    type: "ext3",
  });
});
