import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
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

describe("an unpacked layer", () => {
  const file = () => place("fs/lower");
  /** As the next daemon finds it: nothing was looked at yet. */
  const again = async () => {
    await snapshots.close();
    snapshots = new OverlaySnapshotter(root, undefined, undefined, "unpacked");
    await snapshots.recover();
  };
  const mounted = async (key: string) => {
    await snapshots.prepare(key, lower);
    try {
      await snapshots.mount(key);
      return readFileSync(join(snapshots.mountPoint(key), "lower"), "utf8");
    } finally {
      await snapshots.remove(key);
    }
  };
  beforeEach(async () => {
    await snapshots.close();
    rmSync(join(root, "snapshots"), { recursive: true });
    snapshots = new OverlaySnapshotter(root, undefined, undefined, "unpacked");
    const tar = writeTar([{ header: { path: "lower", size: 3 }, body: Buffer.from("abc") }]);
    lower = (await snapshots.apply(undefined, tar)).chainId;
  });

  test("whose file was written to, with its size and times kept, is refused by name until it is mended", async () => {
    expect(await mounted("before")).toBe("abc");
    await snapshots.kept();
    expect(await snapshots.check(lower)).toBe("whole");
    const { atime, mtime } = statSync(file());
    writeFileSync(file(), "abX");
    utimesSync(file(), atime, mtime);
    await again();
    const refused = { kind: "data-loss", message: `Layer ${lower} is damaged: its files were changed` };
    await expect(mounted("a")).rejects.toMatchObject(refused);
    await expect(snapshots.withView(lower, async () => {})).rejects.toMatchObject(refused);
    await expect(snapshots.check(lower)).rejects.toMatchObject(refused);
    writeFileSync(file(), "abc");
    utimesSync(file(), atime, mtime);
    expect(await mounted("b")).toBe("abc");
  });

  test("with a file more, or one that is gone, counts as changed", async () => {
    await snapshots.kept();
    writeFileSync(place("fs/more"), "");
    await again();
    await expect(mounted("a")).rejects.toThrow("its files were changed");
    rmSync(place("fs/more"));
    rmSync(file());
    await expect(mounted("b")).rejects.toThrow("its files were changed");
  });

  test("that was copied is read once and vouched for from then on", async () => {
    await snapshots.kept();
    const before = JSON.parse(readFileSync(place("layer.json"), "utf8"));
    await snapshots.close();
    execFileSync("cp", ["-a", place("fs"), place("copy")]);
    rmSync(place("fs"), { recursive: true });
    renameSync(place("copy"), place("fs"));
    await again();
    expect(await mounted("a")).toBe("abc");
    const after = JSON.parse(readFileSync(place("layer.json"), "utf8"));
    expect(after.treeDigest).toBe(before.treeDigest);
    expect(after.mark).not.toBe(before.mark);
  });

  test("made before there were marks is used, and known from then on", async () => {
    await snapshots.kept();
    await snapshots.close();
    const { mark, treeDigest, ...old } = JSON.parse(readFileSync(place("layer.json"), "utf8"));
    writeFileSync(place("layer.json"), JSON.stringify(old));
    await again();
    expect(await mounted("a")).toBe("abc");
    await snapshots.kept();
    expect(JSON.parse(readFileSync(place("layer.json"), "utf8"))).toMatchObject({ mark, treeDigest });
  });
});
