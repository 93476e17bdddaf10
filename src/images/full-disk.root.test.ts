import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealWorkshop } from "./testing/real-workshop.ts";
import { bytesOf, streamOf, tarOf, Workshop } from "./testing/workshop.ts";

function run(...words: readonly string[]): void {
  const { status, stderr } = spawnSync(words[0] ?? "", words.slice(1), { encoding: "utf8" });
  if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
}

/** A disk of a few megabytes for the duration of `use`. */
async function withSmallDisk(megabytes: number, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "havre-disk-"));
  run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder);
  try {
    await use(folder);
  } finally {
    run("umount", folder);
    rmdirSync(folder);
  }
}

async function archiveOf(megabytes: number): Promise<Buffer> {
  using origin = new Workshop();
  const source = tarOf({ big: randomBytes(megabytes << 20), small: "x" });
  await origin.images.import({ source, changes: [], repository: "big" }, () => {});
  return await bytesOf(origin.images.save(["big"]));
}

// The blob alone does not fit; the blob fits and its tree does not.
test.each([12, 7])(
  "a disk that fills up fails the load of %d MB, leaves nothing, and the next one works",
  async (megabytes) => {
    const [large, small] = [await archiveOf(megabytes), await archiveOf(1)];
    // More than half of it is what the store reserves.
    await withSmallDisk(19, async (folder) => {
      const shop = await RealWorkshop.open(folder);
      const failure: unknown = await shop.load(streamOf(large, 1 << 16)).catch((error) => error);
      expect(failure).toMatchObject({ kind: "resource-exhausted" });
      await shop.snapshots.settled();
      expect([[...shop.content.list()].length, shop.snapshots.layers().length, shop.images.list({}).length]).toEqual([
        0, 0, 0,
      ]);
      expect(await shop.load(streamOf(small, 1 << 16))).toBe("Loaded image: big:latest\n");
      expect((await bytesOf(shop.images.save(["big"]))).equals(small)).toBe(true);
      await shop.close();
    });
  },
);
