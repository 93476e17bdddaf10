import { expect, test } from "bun:test";
import type { TarHeader } from "../tar/header.ts";
import { NotIndexable, TreeBuilder } from "./tree-builder.ts";

const NOTHING = new Uint8Array();

function member(path: string, more: Partial<TarHeader> = {}): TarHeader {
  return {
    type: "directory",
    path,
    rawPath: Buffer.from(path),
    linkTarget: "",
    rawLinkTarget: NOTHING,
    mode: 0o755,
    uid: 0,
    gid: 0,
    uname: "",
    gname: "",
    size: 0,
    mtime: 0n,
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map(),
    ...more,
  };
}

/** Tells the builder `make(0)`, `make(1)` and so on until it refuses; says how many it took. */
function takenOf(make: (number: number) => TarHeader): number {
  const builder = new TreeBuilder(() => 0);
  for (let number = 0; number < 10_000; number++) {
    try {
      builder.entry(make(number));
    } catch (error) {
      expect(error).toBeInstanceOf(NotIndexable);
      return number;
    }
  }
  return 10_000;
}

test("folders that only stand in a path count as members do", () => {
  expect(takenOf((number) => member(`${number}${"/a".repeat(1800)}`))).toBeLessThan(400_000 / 1800);
});

test("attributes and links' targets take memory", () => {
  const value = new Uint8Array(16_000);
  expect(takenOf((number) => member(`${number}`, { xattrs: new Map([["trusted.a", value]]) }))).toBeLessThan(5000);
  const target = Buffer.alloc(4095, "a");
  expect(takenOf((number) => member(`${number}`, { type: "symlink", rawLinkTarget: target }))).toBe(10_000);
});
