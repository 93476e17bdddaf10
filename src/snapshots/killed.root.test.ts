import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountInfo } from "../kernel/mod.ts";
import { OverlaySnapshotter } from "./overlay-snapshotter.ts";

const ROUNDS = 12;

/** Makes, mounts and removes layers as fast as it can until it is killed. */
const BUSY = `
  import { OverlaySnapshotter, writeTar } from ${JSON.stringify(join(import.meta.dir, "mod.ts"))};
  const snapshots = new OverlaySnapshotter(process.argv[1]);
  await snapshots.recover();
  const body = Buffer.alloc(50_000, "x");
  for (let round = 0; ; round++) {
    const members = Array.from({ length: 60 }, (_, index) => ({ header: { path: "d" + round + "/" + index, size: body.length }, body }));
    const layer = await snapshots.apply(snapshots.layers().at(-1 - (round % 3)), writeTar(members));
    const key = "k" + process.pid + "-" + round;
    process.stdout.write(".");
    await snapshots.prepare(key, layer.chainId);
    await snapshots.mount(key);
    await Bun.write(snapshots.mountPoint(key) + "/new", "x");
    if (round % 2 === 0) await snapshots.remove(key);
    if (round % 4 === 3) {
      for (const old of snapshots.keys().slice(0, 2)) await snapshots.remove(old);
      await snapshots.collect((chainId) => chainId < "sha256:8");
    }
  }`;

test("killed at any moment: the next daemon finds whole layers only, and leaves nothing behind", async () => {
  const root = mkdtempSync(join(tmpdir(), "havre-killed-"));
  try {
    let layersSeen = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const child = spawn(process.execPath, ["-e", BUSY, root], { stdio: ["ignore", "pipe", "inherit"] });
      let layers = 0;
      const enough = Promise.withResolvers<void>();
      child.stdout.on("data", (dots: Buffer) => {
        layers += dots.length;
        if (layers > round % 5) enough.resolve();
      });
      await enough.promise;
      // Somewhere in what it does next.
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      child.kill("SIGKILL");
      await once(child, "exit");

      const snapshots = new OverlaySnapshotter(root);
      await snapshots.recover();
      await snapshots.settled();
      for (const place of ["staging", "trash", "views"])
        expect(readdirSync(join(root, "snapshots", place))).toEqual([]);
      for (const chainId of snapshots.layers()) {
        layersSeen++;
        await snapshots.withView(chainId, async (view) => {
          for (const folder of readdirSync(view)) expect(readdirSync(join(view, folder)).length).toBe(60);
        });
      }
      for (const key of snapshots.keys()) await snapshots.mount(key);
      await snapshots.close();
    }
    expect(layersSeen).toBeGreaterThan(0);
    const last = new OverlaySnapshotter(root);
    await last.recover();
    for (const key of last.keys()) await last.remove(key);
    await last.collect(() => false);
    await last.close();
    for (const place of ["layers", "writable", "trash"])
      expect(readdirSync(join(root, "snapshots", place))).toEqual([]);
    expect(mountInfo().filter(({ mountPoint }) => mountPoint.startsWith(root))).toEqual([]);
  } finally {
    rmSync(root, { recursive: true });
  }
}, 60_000);
