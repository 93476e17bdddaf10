import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { VolumeArchives } from "../archives.ts";
import { VolumeBackups } from "./backups.ts";
import { readBackupFile, writeBackupFile } from "./file.ts";
import { readMarked, withMarks } from "./marks.ts";
import { Repository } from "./repository.ts";
import type { Lock, Opener } from "./sealing.ts";

const note = { format: 1, volume: "v", labels: null, taken: 1_767_225_600_000, paused: true } as const;
const tar = Buffer.concat([randomBytes(20_000), Buffer.alloc(1024)]);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-backup-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function keyPair(): Promise<{ lock: Lock; opener: Opener }> {
  const identity = await generateX25519Identity();
  return { lock: { recipients: [await identityToRecipient(identity)] }, opener: { identities: [identity] } };
}

async function readAll(path: string, opener?: Opener): Promise<Buffer> {
  const { tar } = await readMarked(readBackupFile(path, opener));
  return Buffer.concat(await Array.fromAsync(tar, (bytes) => Buffer.from(bytes)));
}

describe("a backup in a file", () => {
  test("is read back, locked or not", async () => {
    const { lock, opener } = await keyPair();
    const [plain, locked] = [join(folder, "plain"), join(folder, "locked")];
    await writeBackupFile(plain, withMarks(note, once(tar)));
    await writeBackupFile(locked, withMarks(note, once(tar)), lock);
    expect((await readAll(plain)).equals(await readAll(locked, opener))).toBe(true);
    expect(readFileSync(locked).includes("HAVRE")).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(["locked", "plain"]);
  });

  test("cut at any place it is refused, locked or not", async () => {
    const { lock, opener } = await keyPair();
    for (const given of [undefined, lock]) {
      const path = join(folder, "whole");
      await writeBackupFile(path, withMarks(note, once(tar)), given);
      const whole = readFileSync(path);
      for (let length = 0; length < whole.length; length += 61) {
        writeFileSync(path, whole.subarray(0, length));
        await expect(readAll(path, opener)).rejects.toMatchObject({ name: "HavreError" });
      }
      writeFileSync(path, whole.subarray(0, -1));
      await expect(readAll(path, opener)).rejects.toMatchObject({ kind: "data-loss" });
    }
  }, 30_000);

  test("a key that does not fit, and none, are told apart from damage", async () => {
    const path = join(folder, "locked");
    await writeBackupFile(path, withMarks(note, once(tar)), (await keyPair()).lock);
    await expect(readAll(path, (await keyPair()).opener)).rejects.toThrow("does not open this backup");
    await expect(readAll(path)).rejects.toMatchObject({
      kind: "permission-denied",
      message: "The backup is encrypted",
    });
  });

  test("that fails leaves the file of that name as it was, and nothing beside it", async () => {
    const path = join(folder, "kept");
    writeFileSync(path, "earlier");
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield tar;
      throw new Error("the volume is gone");
    };
    await expect(writeBackupFile(path, withMarks(note, failing()))).rejects.toThrow("the volume is gone");
    expect(readFileSync(path, "utf8")).toBe("earlier");
    expect(readdirSync(folder)).toEqual(["kept"]);
    await expect(writeBackupFile(join(folder, "no/where"), once(tar))).rejects.toMatchObject({ kind: "not-found" });
  });
});

test("a backup's file is closed though little of it was read", async () => {
  const path = join(folder, "large");
  const { lock, opener } = await keyPair();
  const large = Buffer.concat([randomBytes(4 << 20), Buffer.alloc(1024)]);
  const write = async () => Promise.reject(new Error("Volume v is not empty"));
  const backups = new VolumeBackups({ write } as unknown as VolumeArchives);
  for (const given of [undefined, lock]) {
    await writeBackupFile(path, withMarks(note, once(large)), given);
    expect(await backups.list(path, opener)).toHaveLength(1);
    await expect(backups.restore({ source: path, volume: "", force: false, opener })).rejects.toThrow("not empty");
  }
  writeFileSync(path, large);
  await expect(backups.list(path, opener)).rejects.toThrow("no backup");
  while (isOpen(path)) await new Promise((resolve) => setImmediate(resolve));
});

function isOpen(path: string): boolean {
  return readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false; // The descriptor by which the list was read.
    }
  });
}

describe("a folder of backups", () => {
  const chunkFiles = () =>
    readdirSync(join(folder, "chunks"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

  test("has each content once, and finds damage by name", async () => {
    const repository = await Repository.openOrMake(folder, undefined);
    const first = await repository.put(tar, undefined);
    expect(first.added).toBeGreaterThan(0);
    expect(await repository.put(tar, undefined)).toEqual({ id: first.id, added: 0 });
    expect(Buffer.from(await repository.reader({})(first.id)).equals(tar)).toBe(true);
    const path = join(folder, "chunks", first.id.slice(0, 2), first.id);
    const whole = readFileSync(path);
    const flipped = Buffer.from(whole);
    flipped[100] = (flipped[100] ?? 0) ^ 1;
    for (const damaged of [whole.subarray(0, -100), whole.subarray(0, 1), flipped]) {
      writeFileSync(path, damaged);
      await expect(repository.reader({})(first.id)).rejects.toThrow(`Chunk ${first.id} is damaged`);
    }
    rmSync(path);
    await expect(repository.reader({})(first.id)).rejects.toThrow(`Chunk ${first.id} is missing`);
  });

  test("locked for a public key grows without the secret one, and opens with it only", async () => {
    const { lock, opener } = await keyPair();
    const repository = await Repository.openOrMake(folder, lock);
    const { id } = await repository.put(tar, await repository.key(lock));
    const again = await Repository.openOrMake(folder, lock);
    expect(await again.put(tar, await again.key(lock))).toEqual({ id, added: 0 });
    const other = await again.put(randomBytes(1000), await again.key(lock));
    const read = again.reader(opener);
    expect((await read(id)).length).toBe(tar.length);
    expect((await read(other.id)).length).toBe(1000);
    await expect(again.reader((await keyPair()).opener)(id)).rejects.toThrow("does not open this backup");
    await expect(again.reader({})(id)).rejects.toThrow("The backup is encrypted");
  });

  test("is not mixed: locked and not, or something else", async () => {
    await Repository.openOrMake(folder, undefined);
    await expect(Repository.openOrMake(folder, (await keyPair()).lock)).rejects.toThrow("are not encrypted");
    const other = join(folder, "chunks/other");
    mkdirSync(other);
    await expect(Repository.open(other)).rejects.toThrow("holds no backups");
    writeFileSync(join(other, "file"), "");
    await expect(Repository.openOrMake(other, undefined)).rejects.toThrow("is not empty and holds no backups");
  });

  test("forgets what no other backup needs, and what a killed run left", async () => {
    const repository = await Repository.openOrMake(folder, undefined);
    const [shared, own] = [await repository.put(tar, undefined), await repository.put(randomBytes(500), undefined)];
    const manifest = { note, size: 1, sha256: "", added: 1 };
    await repository.addManifest({ ...manifest, id: "a", chunks: [shared.id, own.id] });
    await repository.addManifest({ ...manifest, id: "b", chunks: [shared.id] });
    writeFileSync(join(folder, "chunks", own.id.slice(0, 2), "half.new"), "");
    expect(await repository.forget(["a"])).toBe(own.added);
    expect(chunkFiles().map(({ name }) => name)).toEqual([shared.id]);
    expect((await repository.manifests()).map(({ id }) => id)).toEqual(["b"]);
  });

  test("forgets the keys of what it forgets, and no other", async () => {
    const { lock, opener } = await keyPair();
    const repository = await Repository.openOrMake(folder, lock);
    const runs = [];
    for (const id of ["a", "b"]) {
      const key = await repository.key(lock);
      const chunk = await repository.put(randomBytes(500), key);
      await repository.addManifest({ id, note, size: 1, sha256: "", added: 1, chunks: [chunk.id] });
      runs.push({ key: `${key?.id}.age`, chunk: chunk.id });
    }
    await repository.key(lock); // Of a run that was killed before it stored anything.
    await repository.forget(["a"]);
    expect(readdirSync(join(folder, "keys"))).toEqual(runs.slice(1).map(({ key }) => key));
    expect(await repository.reader(opener)(runs[1]?.chunk ?? "")).toHaveLength(500);
  });

  test("a manifest that is cut short says so, and the others can be had", async () => {
    const repository = await Repository.openOrMake(folder, undefined);
    const manifest = { note, size: 1, sha256: "", chunks: [], added: 0 };
    for (const id of ["a", "b"]) await repository.addManifest({ ...manifest, id });
    writeFileSync(join(folder, "backups/a.json"), readFileSync(join(folder, "backups/a.json")).subarray(0, 50));
    await expect(repository.manifests()).rejects.toMatchObject({ kind: "data-loss" });
    const backups = new VolumeBackups({} as VolumeArchives);
    const listed = await backups.list(folder, {});
    expect(listed.map(({ id, problem }) => [id, problem === undefined])).toEqual([
      ["b", true],
      ["a", false],
    ]);
    const asked = { source: folder, volume: "", force: false, opener: {} };
    await expect(backups.restore(asked)).rejects.toMatchObject({ kind: "data-loss" });
    await expect(backups.restore({ ...asked, backup: "a" })).rejects.toThrow("cannot be read");
  });

  test("names no file outside of it, whoever made it", async () => {
    const repository = await Repository.openOrMake(folder, undefined);
    const whole = { id: "a", note, size: 1, sha256: "", chunks: [], added: 0 };
    for (const wrong of [
      { id: "../../victim" },
      { chunks: ["../../../etc/shadow"] },
      { chunks: [5] },
      { chunks: {} },
    ]) {
      writeFileSync(join(folder, "backups/a.json"), JSON.stringify({ ...whole, ...wrong }));
      await expect(repository.manifests()).rejects.toMatchObject({ kind: "data-loss" });
    }
    writeFileSync(join(folder, "havre-backups.json"), "{");
    await expect(Repository.open(folder)).rejects.toMatchObject({ kind: "data-loss" });
  });
});

test("a passphrase opens what it locked, and another is refused before anything is stored", async () => {
  const lock = { passphrase: "correct horse", work: 10 };
  const repository = await Repository.openOrMake(folder, lock);
  const { id } = await repository.put(tar, await repository.key(lock));
  expect((await repository.reader(lock)(id)).length).toBe(tar.length);
  await expect(repository.key({ passphrase: "wrong" })).rejects.toThrow("does not open this backup");
});
