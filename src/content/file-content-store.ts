import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  abortable,
  type Digest,
  Digester,
  digestAlgorithm,
  digestHex,
  errnoOf,
  HavreError,
  isDigest,
  newId,
  syncFolder,
  toHavreError,
} from "../base/mod.ts";
import type { BlobInfo, ContentStore, Expected, Ingest } from "./content.ts";
import { Holds } from "./holds.ts";
import { FileIngest, ingestFileName, refuseSecond } from "./ingest.ts";
import { mismatch, verified } from "./verify.ts";
import { GatheringWriter } from "./writer.ts";

const READ_LIMIT = 8 << 20;
const READ_CHUNK = 512 * 1024;
const ALGORITHMS = ["sha256", "sha512"] as const;
/** How long an interrupted ingest waits to be gone on with. */
const INGEST_PATIENCE_MS = 24 * 60 * 60 * 1000;

/** Blobs as files below `<root>/content`. One process at a time. */
export class FileContentStore implements ContentStore {
  readonly #folder: string;
  readonly #ingestFolder: string;
  readonly #resumableFolder: string;
  readonly #holds = new Holds();
  /** Files of resumable ingests that are being written. */
  readonly #writing = new Set<string>();

  /** `root` is the daemon's root folder; what is missing is made. */
  constructor(root: string) {
    this.#folder = join(root, "content");
    this.#ingestFolder = join(this.#folder, "ingest");
    this.#resumableFolder = join(this.#folder, "resumable");
    for (const folder of [this.#ingestFolder, this.#resumableFolder])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const algorithm of ALGORITHMS) mkdirSync(join(this.#folder, algorithm), { recursive: true, mode: 0o700 });
  }

  /** After a start: removes what a killed daemon left half-ingested and nobody can go on with. */
  recover(): void {
    for (const name of readdirSync(this.#ingestFolder)) rmSync(join(this.#ingestFolder, name), { force: true });
    this.#forgetStale();
  }

  async resume(key: string): Promise<Ingest> {
    const name = ingestFileName(key);
    if (this.#writing.has(name)) refuseSecond(key);
    this.#writing.add(name);
    try {
      return await FileIngest.open(
        join(this.#resumableFolder, name),
        (path, digest) => this.#publish(path, digest),
        () => this.#writing.delete(name),
      );
    } catch (error) {
      this.#writing.delete(name);
      throw toHavreError(error);
    }
  }

  path(digest: Digest): string {
    const hex = digestHex(digest);
    return join(this.#folder, digestAlgorithm(digest), hex.slice(0, 2), hex);
  }

  /** A blob that was found here is held as one just ingested is: whoever asks is about to rely on it. */
  has(digest: Digest): boolean {
    return this.info(digest) !== undefined;
  }

  info(digest: Digest): BlobInfo | undefined {
    const stat = statSync(this.path(digest), { throwIfNoEntry: false });
    if (!stat) return undefined;
    this.#holds.add(digest);
    return { digest, size: stat.size };
  }

  async ingest(bytes: AsyncIterable<Uint8Array>, expected: Expected = {}, signal?: AbortSignal): Promise<BlobInfo> {
    signal?.throwIfAborted();
    const temporary = join(this.#ingestFolder, newId());
    const file = await open(temporary, "wx", 0o600);
    const writer = new GatheringWriter(file);
    try {
      const digester = new Digester(expected.digest === undefined ? "sha256" : digestAlgorithm(expected.digest));
      for await (const chunk of abortable(bytes, signal)) {
        digester.update(chunk);
        if (expected.size !== undefined && digester.size > expected.size) {
          throw mismatch(expected, `more than ${expected.size} bytes came`);
        }
        await writer.write(chunk);
      }
      await writer.flush();
      const info = verified(digester, expected);
      await file.sync();
      await this.#publish(temporary, info.digest);
      return info;
    } catch (error) {
      const failure = signal?.aborted
        ? new HavreError("cancelled", "Storing a blob was cancelled", { cause: error })
        : toHavreError(error);
      await rm(temporary, { force: true }).catch((problem: unknown) => failure.cleanUpFailures.push(problem));
      throw failure;
    } finally {
      await writer.settled();
      await file.close();
    }
  }

  async put(bytes: Uint8Array, expected: Expected = {}): Promise<BlobInfo> {
    return this.ingest(
      (async function* () {
        yield bytes;
      })(),
      expected,
    );
  }

  async read(digest: Digest, limit = READ_LIMIT): Promise<Uint8Array> {
    const file = await this.#open(digest);
    try {
      const { size } = await file.stat();
      if (size > limit) {
        throw new HavreError("resource-exhausted", `Blob ${digest} has ${size} bytes, more than the ${limit} expected`);
      }
      const bytes = new Uint8Array(await file.readFile());
      verify(digest, new Digester(digestAlgorithm(digest)).update(bytes));
      return bytes;
    } finally {
      await file.close();
    }
  }

  async *stream(digest: Digest): AsyncGenerator<Uint8Array> {
    const file = await this.#open(digest);
    let next = readChunk(file);
    try {
      const digester = new Digester(digestAlgorithm(digest));
      for (;;) {
        const chunk = await next;
        if (chunk.length === 0) break;
        next = readChunk(file);
        // Claimed here so that a failure while the consumer is slow is not an unhandled one; `await next` still throws it.
        next.catch(() => {});
        digester.update(chunk);
        yield chunk;
      }
      verify(digest, digester);
    } finally {
      // Never close under a read: the descriptor's number may be another file's by then.
      await next.catch(() => {});
      await file.close();
    }
  }

  *list(): Generator<BlobInfo> {
    for (const algorithm of ALGORITHMS) {
      for (const prefix of readdirSync(join(this.#folder, algorithm))) {
        for (const hex of readdirSync(join(this.#folder, algorithm, prefix))) {
          const digest = `${algorithm}:${hex}`;
          if (!isDigest(digest)) continue;
          const stat = statSync(this.path(digest), { throwIfNoEntry: false });
          if (stat) yield { digest, size: stat.size };
        }
      }
    }
  }

  delete(digest: Digest): void {
    rmSync(this.path(digest), { force: true });
  }

  hold(): Disposable {
    return this.#holds.take();
  }

  collect(needed: (digest: Digest) => boolean): BlobInfo[] {
    const unneeded = [...this.list()].filter(({ digest }) => !this.#holds.has(digest) && !needed(digest));
    for (const { digest } of unneeded) this.delete(digest);
    this.#forgetStale();
    return unneeded;
  }

  /** Renames into place and syncs the folders, so that the blob is there after a power cut too. Renaming over a blob heals it. */
  async #publish(temporary: string, digest: Digest): Promise<void> {
    const path = this.path(digest);
    const folder = dirname(path);
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    // Before it is there for a collection to see: the rename is done some time before it is told.
    this.#holds.add(digest);
    await rename(temporary, path);
    await syncFolder(folder);
    if (made !== undefined) await syncFolder(dirname(folder));
  }

  #forgetStale(): void {
    for (const name of readdirSync(this.#resumableFolder)) {
      const path = join(this.#resumableFolder, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat && !this.#writing.has(name) && stat.mtimeMs < Date.now() - INGEST_PATIENCE_MS)
        rmSync(path, { force: true });
    }
  }

  async #open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.path(digest), "r");
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw toHavreError(error);
      throw new HavreError("not-found", `Blob ${digest} is not here`, { cause: error });
    }
  }
}

async function readChunk(file: FileHandle): Promise<Uint8Array> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_CHUNK), 0, READ_CHUNK, null);
  return buffer.subarray(0, bytesRead);
}

function verify(digest: Digest, digester: Digester): void {
  const actual = digester.digest();
  if (actual === digest) return;
  throw new HavreError("data-loss", `Blob ${digest} is damaged on disk: its bytes have the digest ${actual}`, {
    hint: "Delete the images that use it and pull or load them again",
  });
}
