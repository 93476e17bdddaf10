import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "./sqlite.ts";
import { defineKind } from "./store.ts";

interface Note {
  readonly id: string;
  readonly text: string;
}
const notes = defineKind<Note>("note", {});
let disk = "";

beforeAll(() => {
  disk = mkdtempSync(join(tmpdir(), "havre-store-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", disk]);
});
afterAll(() => {
  execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true });
});

/** Writes until nothing more fits. */
function fill(path: string): void {
  const fd = openSync(path, "w");
  try {
    for (const chunk of [Buffer.alloc(1 << 20), Buffer.alloc(4096), Buffer.alloc(1)]) {
      try {
        for (;;) writeSync(fd, chunk);
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
      }
    }
  } finally {
    closeSync(fd);
  }
}

test("on a full disk what is known can still be changed and removed, through many checkpoints", async () => {
  const path = join(disk, "state.db");
  const store = new SqliteStore(path);
  for (let index = 0; index < 50; index++) {
    await store.update((tx) => tx.put(notes, { id: String(index), text: "x".repeat(3000) }));
  }
  fill(join(disk, "filler"));
  for (let round = 0; round < 100; round++) {
    for (let index = 0; index < 50; index++) {
      await store.update((tx) => tx.put(notes, { id: String(index), text: String(round).repeat(1000) }), {
        durable: false,
      });
    }
  }
  await store.update((tx) => tx.delete(notes, "7"));
  store.close();
  const again = new SqliteStore(path);
  expect(again.view((tx) => tx.list(notes))).toHaveLength(49);
  expect(again.view((tx) => tx.get(notes, "8"))?.text).toBe("99".repeat(1000));
  again.close();
});
