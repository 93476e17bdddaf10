import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "../base/mod.ts";
import { whyNotIndexed } from "./erofs/mount.ts";
import { OverlaySnapshotter } from "./overlay-snapshotter.ts";
import { writeTar } from "./tar/writer.ts";

const capable = whyNotIndexed(join(mkdtempSync(join(tmpdir(), "havre-probe-")), "x")) === undefined;

let root: string;
let snapshots: OverlaySnapshotter;
let lower: Digest;
let upper: Digest;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "havre-seal-"));
  snapshots = new OverlaySnapshotter(root);
  const layer = (path: string) => writeTar([{ header: { path, size: 3 }, body: Buffer.from("abc") }]);
  lower = (await snapshots.apply(undefined, layer("lower"))).chainId;
  upper = (await snapshots.apply(lower, layer("upper"))).chainId;
});
afterEach(async () => {
  await snapshots.close();
  rmSync(root, { recursive: true });
});

const place = (part: string) => join(root, "snapshots/layers/1", part);

/** Another byte in the place of a file's content, as somebody who meddles leaves it. */
function change(path: string, byte: string): void {
  const fd = openSync(path, "r+");
  writeSync(fd, byte, 512);
  closeSync(fd);
}

/** Another daemon's life. */
async function restart(): Promise<void> {
  await snapshots.close();
  snapshots = new OverlaySnapshotter(root);
}

test.skipIf(!capable)(
  "a layer that was written to is refused by name, whoever stands on it, until it is mended",
  async () => {
    await snapshots.prepare("before", upper);
    change(place("layer.tar"), "X");
    const refusal = new RegExp(`^Layer ${lower} is damaged: its digest is sha256:`);
    await expect(snapshots.mount("before")).rejects.toMatchObject({
      kind: "data-loss",
      message: expect.stringMatching(refusal),
    });
    await expect(snapshots.withView(upper, async () => {})).rejects.toThrow(refusal);
    await restart();
    await expect(snapshots.check(lower)).rejects.toThrow(refusal);
    expect(await snapshots.check(upper)).toBe("whole");

    change(place("layer.tar"), "a");
    await snapshots.mount("before");
    expect(readFileSync(join(snapshots.mountPoint("before"), "lower"), "utf8")).toBe("abc");
    for (const key of snapshots.keys()) await snapshots.remove(key);
  },
);

test.skipIf(!capable)("its index and files that are gone count too", async () => {
  await restart();
  await snapshots.prepare("a", lower);
  change(place("index.erofs"), "X");
  await expect(snapshots.mount("a")).rejects.toThrow(`Layer ${lower} is damaged: its index was changed`);
  rmSync(place("layer.tar"));
  await expect(snapshots.mount("a")).rejects.toThrow(`Layer ${lower} is damaged: a file of it is missing`);
  await snapshots.remove("a");
});

test.skipIf(!capable)("what the disk lost without a trace is found by reading everything", async () => {
  const { atime, mtime } = statSync(place("layer.tar"));
  // Whole milliseconds can be put back exactly.
  utimesSync(place("layer.tar"), atime, new Date(Math.floor(mtime.getTime())));
  expect(await snapshots.check(lower)).toBe("whole");
  change(place("layer.tar"), "X");
  utimesSync(place("layer.tar"), atime, new Date(Math.floor(mtime.getTime())));
  await snapshots.prepare("a", lower);
  await snapshots.mount("a");
  await expect(snapshots.check(lower)).rejects.toThrow(`Layer ${lower} is damaged`);
  await snapshots.remove("a");
});

test.skipIf(!capable)(
  "a copy of the files is digested once and vouched for from then on; so is a layer without a seal",
  async () => {
    renameSync(place("layer.tar"), place("copy"));
    writeFileSync(place("layer.tar"), readFileSync(place("copy")));
    await snapshots.prepare("a", lower);
    await snapshots.mount("a");
    const sealed = JSON.parse(readFileSync(place("layer.json"), "utf8"));
    expect(sealed.seal.tar).toStartWith(`${statSync(place("layer.tar")).ino} `);
    const { seal: _, ...unsealed } = sealed;
    writeFileSync(place("layer.json"), JSON.stringify(unsealed));
    await restart();
    await snapshots.prepare("b", lower);
    await snapshots.mount("b");
    expect(JSON.parse(readFileSync(place("layer.json"), "utf8")).seal).toEqual(sealed.seal);
    for (const key of snapshots.keys()) await snapshots.remove(key);
  },
);

test("an unpacked layer has no digest to compare with", async () => {
  await snapshots.close();
  snapshots = new OverlaySnapshotter(root, undefined, undefined, "unpacked");
  const { chainId } = await snapshots.apply(
    undefined,
    writeTar([{ header: { path: "other", size: 1 }, body: Buffer.from("x") }]),
  );
  expect(await snapshots.check(chainId)).toBe("unpacked");
});
