import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isHavreError } from "../../base/mod.ts";
import { reseal } from "../testing/reseal.ts";
import type { TarHeader } from "./header.ts";
import { TarParser } from "./parser.ts";
import { encodeTarHeader, TAR_TRAILER, tarPadding } from "./writer.ts";

/** A small generator with a seed, so that a failure can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function seedArchive(): Uint8Array {
  const body = Buffer.alloc(700, "body");
  const extents = [
    { offset: 100, length: 200 },
    { offset: 1000, length: 500 },
  ];
  const xattrs = new Map([["user.a", Buffer.from("b")]]);
  const parts = [
    encodeTarHeader({ path: "d/", type: "directory" }),
    encodeTarHeader({ path: "d/f", size: 700, mtime: 1_500_000_001n }),
    body,
    tarPadding(700),
    encodeTarHeader({ path: `${"long/".repeat(80)}ü`, size: 700, uid: 5_000_000, xattrs }),
    body,
    tarPadding(700),
    encodeTarHeader({ path: "sparse", size: 2000, extents }),
    body,
    tarPadding(700),
    encodeTarHeader({ path: "l", type: "symlink", linkTarget: "x".repeat(150) }),
    encodeTarHeader({ path: "h", type: "hardlink", linkTarget: "d/f" }),
    TAR_TRAILER,
  ];
  return new Uint8Array(Buffer.concat(parts));
}

/** What a parse came to, checked for what must hold of any archive; the same whatever the chunks. */
function outcome(bytes: Uint8Array, chunk: number): string {
  const log: string[] = [];
  let current: TarHeader | undefined;
  let end = 0;
  const parser = new TarParser(
    {
      entry(header) {
        expect(current).toBeUndefined();
        expect(header.size).toBeGreaterThanOrEqual(0);
        expect(header.rawPath.includes(0)).toBe(false);
        current = header;
        end = 0;
        log.push(`${header.type} ${header.path} ${header.size} ${header.uid} ${header.mtime} ${header.linkTarget}`);
      },
      data(data, offset) {
        expect(offset).toBeGreaterThanOrEqual(end);
        end = offset + data.length;
        expect(end).toBeLessThanOrEqual(current?.size ?? -1);
      },
      finish() {
        expect(current).toBeDefined();
        current = undefined;
      },
    },
    { extensionBytes: 100_000, entries: 1000, contentBytes: 10_000_000 },
  );
  try {
    for (let at = 0; at < bytes.length; at += chunk) parser.write(bytes.subarray(at, at + chunk));
    parser.end();
  } catch (error) {
    if (!isHavreError(error)) throw error;
    expect(["invalid-argument", "resource-exhausted"]).toContain(error.kind);
    log.push(error.kind);
  }
  return log.join("\n");
}

test("mutated archives are parsed or refused, the same in chunks of any size", () => {
  const seed = seedArchive();
  const outcomes = new Set<string>();
  for (let round = 0; round < 4000; round++) {
    const random = randomFrom(round);
    const bytes = seed.slice(0, random(10) === 0 ? 100 + random(seed.length - 100) : seed.length);
    for (let changes = 1 + random(6); changes > 0; changes--) {
      const at = random(bytes.length - 12);
      const kind = random(4);
      if (kind === 0) bytes[at] = random(256);
      else if (kind === 1) bytes[at] = 0x30 + random(10);
      else if (kind === 2) bytes.copyWithin(at, random(bytes.length), Math.min(bytes.length, at + random(64)));
      else bytes.fill([0, 0x80, 0xff, 0x20][random(4)] ?? 0, at, at + random(12));
    }
    if (random(3) > 0) reseal(bytes);
    const whole = outcome(bytes, bytes.length + 1);
    expect(outcome(bytes, 1 + random(700))).toBe(whole);
    outcomes.add(whole);
  }
  // The mutations reach deep: many ways to end, not one.
  expect(outcomes.size).toBeGreaterThan(200);
});

test("random bytes are refused", () => {
  for (let round = 0; round < 300; round++) {
    const random = randomFrom(round);
    const bytes = Uint8Array.from({ length: 1 + random(3000) }, () => random(256));
    expect(outcome(bytes, 512)).toBe("invalid-argument");
  }
});

test("every source file of this folder, taken for an archive, is refused", () => {
  for (const name of readdirSync(import.meta.dir)) {
    expect(outcome(readFileSync(join(import.meta.dir, name)), 1000)).toBe("invalid-argument");
  }
});
