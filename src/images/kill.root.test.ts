import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealWorkshop } from "./testing/real-workshop.ts";
import { bytesOf, tarOf } from "./testing/workshop.ts";

const KILLS = 15;

async function makeArchive(path: string): Promise<void> {
  await using shop = await RealWorkshop.open();
  for (const name of ["a", "b"]) {
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`file${at}`, `${name}${at}`.repeat(500)]));
    await shop.images.import({ source: tarOf(files), repository: name, tag: "1", changes: [] }, () => {});
  }
  writeFileSync(path, await bytesOf(shop.images.save(["a:1", "b:1"])));
}

/** Runs a worker on `folder` and kills it after `delay` milliseconds, wherever it is then. */
async function killSomewhere(folder: string, archive: string, delay: number): Promise<void> {
  const worker = spawn(process.execPath, [join(import.meta.dir, "testing/worker.ts"), folder, archive], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => worker.once("close", resolve));
  const timer = setTimeout(() => worker.kill("SIGKILL"), delay);
  await ended;
  clearTimeout(timer);
  // A worker that ended by itself had an error: it is on the terminal.
  expect(worker.signalCode).toBe("SIGKILL");
}

test("killed at any moment, the next start finds whole images, and nothing without a reason", async () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-kill-"));
  const archive = join(folder, "archive.tar");
  await makeArchive(archive);
  const state = mkdtempSync(join(folder, "state-"));
  let found = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    await killSomewhere(state, archive, 150 + ((kill * 137) % 700));
    const shop = await RealWorkshop.open(state);
    await shop.images.collect();
    for (const image of shop.images.list({}, true)) {
      found++;
      expect(image.chain.every((chainId) => shop.snapshots.has(chainId))).toBe(true);
      expect((await bytesOf(shop.images.save([image.tags[0] ?? image.id]))).length).toBeGreaterThan(0);
    }
    const unexplained = (await shop.images.why()).filter(({ needs }) => needs.length === 0);
    expect(unexplained).toEqual([]);
    await shop.close();
  }
  expect(found).toBeGreaterThan(0);
  rmSync(folder, { recursive: true });
}, 60_000);
