import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, isHavreError } from "../base/mod.ts";
import { mount, unmount } from "../kernel/mod.ts";
import { ContainerHost } from "./testing/container-host.ts";

/** A disk of half a megabyte. */
class SmallDisk implements Disposable {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    mkdirSync(path);
    mount({ type: "tmpfs", source: "tmpfs", options: ["size=512k"] }, path);
  }

  fill(): void {
    try {
      for (let n = 0; ; n++) writeFileSync(join(this.path, `filler${n}`), Buffer.alloc(4096));
    } catch (error) {
      if (errnoOf(error) !== "ENOSPC") throw error;
    }
  }

  [Symbol.dispose](): void {
    unmount(this.path);
  }
}

test("a full disk fails the creation, says so, and leaves nothing", async () => {
  await using host = await ContainerHost.open();
  using disk = new SmallDisk(join(host.folder, "disk"));
  const bundle = join(disk.path, "bundle");
  mkdirSync(bundle);
  disk.fill();
  const error = await host.runtime.create({ ...host.request(["true"]), bundle }).catch((failure) => failure);
  expect(isHavreError(error, "resource-exhausted")).toBe(true);
  expect(readdirSync(join(host.run, "containers"))).toEqual([]);
  expect(readdirSync(bundle)).toEqual([]);
  const fine = await host.start("exit 3");
  expect((await fine.exited).code).toBe(3);
});

test("a log whose disk is full does not hold its container up, and the streams go on", async () => {
  await using host = await ContainerHost.open();
  using disk = new SmallDisk(join(host.folder, "disk"));
  const path = join(disk.path, "ctr.log");
  const container = await host.create(["sh", "-c", "seq 1 300000; exit 4"], { log: { path, maxSize: 1 << 30 } });
  const io = await container.attach();
  let size = 0;
  io.onOutput(({ data }) => {
    size += data.byteLength;
    return true;
  });
  await container.start();
  expect((await container.exited).code).toBe(4);
  await io.closed;
  expect(size).toBe(1_988_895);
  expect(statSync(path).size).toBeLessThanOrEqual(512 * 1024);
  // Its supervisor ends a moment after it and holds the log until then; the disk could not be unmounted.
  await container.delete();
});
