import { type Digest, isHavreError, newId } from "../base/mod.ts";
import { type Ingest, readFilePart, undelta } from "../content/mod.ts";
import type { Blobs } from "./blobs.ts";
import type { RegistryContext } from "./context.ts";
import { noRoom, RegistryFault } from "./fault.ts";
import { blobLinks, inRepository, type UploadRecord, uploadRecords } from "./objects.ts";

/** An upload that nobody goes on with is closed after this long, and goes on from its file. */
const IDLE_MS = 60_000;
/** As long as the content store keeps what came. */
const PATIENCE_MS = 24 * 60 * 60 * 1000;

/** An upload whose file is open, so that what came is hashed once. */
interface OpenUpload {
  readonly ingest: Ingest;
  timer: NodeJS.Timeout | undefined;
  /** One request at a time writes to it. */
  busy: boolean;
}

/** Bytes that a repository may take beyond what it has. */
export type Room = (repository: string) => number;

/**
 * Blobs on their way in. What came is kept over requests, lost connections and the registry's own death; it becomes
 * a blob only when it is complete and has the digest it was promised to have.
 */
export class Uploads {
  readonly #context: RegistryContext;
  readonly #blobs: Blobs;
  readonly #room: Room;
  readonly #open = new Map<string, OpenUpload>();

  constructor(context: RegistryContext, blobs: Blobs, room: Room) {
    this.#context = context;
    this.#blobs = blobs;
    this.#room = room;
  }

  /** How many are being written, or were just now. */
  get open(): number {
    return this.#open.size;
  }

  async begin(repository: string): Promise<string> {
    const upload: UploadRecord = { id: newId(), repository, since: this.#context.clock.now() };
    // A power cut may lose it: the client begins again.
    await this.#context.store.update((tx) => tx.put(uploadRecords, upload), { durable: false });
    return upload.id;
  }

  /** Bytes that came so far. */
  async offset(repository: string, id: string): Promise<number> {
    const open = this.#open.get(id);
    this.#check(repository, id);
    if (open) return open.ingest.offset;
    await using ingest = await this.#context.content.resume(keyOf(id));
    return ingest.offset;
  }

  /**
   * Appends `bytes`; returns how many there are now. `range` is what the client says they are: anything but the next
   * ones is refused with 416 and the place where to go on.
   */
  async append(
    repository: string,
    id: string,
    bytes: AsyncIterable<Uint8Array>,
    range: ChunkRange | undefined,
    location: string,
  ): Promise<number> {
    const open = await this.#take(repository, id);
    const end = this.#keepOpen.bind(this, id, open);
    try {
      await this.#write(repository, open.ingest, bytes, range, location);
    } catch (error) {
      await end(isOutOfOrder(error));
      throw error;
    }
    const { offset } = open.ingest;
    await end(true);
    return offset;
  }

  /**
   * Appends bytes that come as a delta: parts of blobs that the repository has, and what it lacks. Nobody may begin in the
   * middle of one: 416 when there are bytes already. BLOB_UNKNOWN when a blob is not here, or not any more.
   */
  async appendDelta(
    repository: string,
    id: string,
    delta: AsyncIterable<Uint8Array>,
    location: string,
  ): Promise<number> {
    if ((await this.offset(repository, id)) > 0) throw outOfOrder(await this.offset(repository, id), location);
    using pinned = new DisposableStack();
    const check = (digests: ReadonlySet<Digest>) => {
      for (const digest of digests) {
        pinned.use(this.#context.pins.pin(digest));
        this.#blobs.find(repository, digest);
      }
    };
    const bytes = undelta(delta, check, ({ digest, offset }, length) => {
      const { path, size } = this.#blobs.find(repository, digest);
      if (offset + length > size)
        throw new RegistryFault("SIZE_INVALID", "a part ends behind its blob", { status: 400, detail: digest });
      return readFilePart(path, offset, offset + length);
    });
    try {
      return await this.append(repository, id, bytes, undefined, location);
    } catch (error) {
      if (error instanceof RegistryFault || !isHavreError(error, "invalid-argument")) throw error;
      throw new RegistryFault("BLOB_UPLOAD_INVALID", error.message, { cause: error });
    }
  }

  /** The same as `append`, and makes a blob of it. DIGEST_INVALID when it is not what was promised: then nothing of it stays. */
  async finish(
    repository: string,
    id: string,
    bytes: AsyncIterable<Uint8Array>,
    range: ChunkRange | undefined,
    location: string,
    digest: Digest,
  ): Promise<void> {
    const open = await this.#take(repository, id);
    using _pin = this.#context.pins.pin(digest);
    try {
      await this.#write(repository, open.ingest, bytes, range, location, digest);
      const { size } = await open.ingest.commit({ digest });
      await this.#context.store.update((tx) => {
        this.#blobs.link(tx, repository, digest, size);
        tx.delete(uploadRecords, id);
      });
      this.#open.delete(id);
    } catch (error) {
      await this.#keepOpen(id, open, isOutOfOrder(error));
      if (!isHavreError(error, "data-loss")) throw error;
      await this.#context.store.update((tx) => tx.delete(uploadRecords, id), { durable: false });
      throw notAsPromised(digest, error);
    }
  }

  /** A blob in one request. */
  async put(
    repository: string,
    digest: Digest,
    bytes: AsyncIterable<Uint8Array>,
    size: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const room = this.#roomFor(repository, digest);
    if (size !== undefined && size > room) throw noRoom(repository);
    using _pin = this.#context.pins.pin(digest);
    try {
      const stored = await this.#context.content.ingest(within(bytes, room, repository), { digest }, signal);
      await this.#context.store.update((tx) => this.#blobs.link(tx, repository, digest, stored.size));
    } catch (error) {
      throw isHavreError(error, "data-loss") ? notAsPromised(digest, error) : error;
    }
  }

  async cancel(repository: string, id: string): Promise<void> {
    const open = await this.#take(repository, id);
    this.#open.delete(id);
    await open.ingest.discard();
    await this.#context.store.update((tx) => tx.delete(uploadRecords, id), { durable: false });
  }

  /** Forgets uploads of which the content store keeps nothing any more. */
  async forgetStale(): Promise<void> {
    const before = this.#context.clock.now() - PATIENCE_MS;
    await this.#context.store.update(
      (tx) => {
        for (const { id, since } of tx.list(uploadRecords)) {
          if (since < before && !this.#open.has(id)) tx.delete(uploadRecords, id);
        }
      },
      { durable: false },
    );
  }

  /** Closes what is open; it can be gone on with later. */
  async close(): Promise<void> {
    for (const [id, open] of this.#open) await this.#keepOpen(id, open, false);
  }

  /** What is here already takes no room. */
  #roomFor(repository: string, digest: Digest | undefined): number {
    const id = digest === undefined ? "" : inRepository(repository, digest);
    const isHere = this.#context.store.view((tx) => tx.get(blobLinks, id)) !== undefined;
    return isHere ? Number.POSITIVE_INFINITY : this.#room(repository);
  }

  #check(repository: string, id: string): void {
    const known = this.#context.store.view((tx) => tx.get(uploadRecords, id));
    if (known?.repository === repository) return;
    throw new RegistryFault("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", { detail: id });
  }

  async #take(repository: string, id: string): Promise<OpenUpload> {
    this.#check(repository, id);
    const known = this.#open.get(id);
    if (known?.busy) throw busyUpload();
    if (known) {
      clearTimeout(known.timer);
      known.busy = true;
      return known;
    }
    try {
      const open: OpenUpload = { ingest: await this.#context.content.resume(keyOf(id)), timer: undefined, busy: true };
      this.#open.set(id, open);
      return open;
    } catch (error) {
      throw isHavreError(error, "conflict") ? busyUpload() : error;
    }
  }

  /** After a failed write its file alone knows what came: it is closed, and opened again with the next request. */
  async #keepOpen(id: string, open: OpenUpload, keep: boolean): Promise<void> {
    clearTimeout(open.timer);
    if (keep) {
      open.timer = setTimeout(() => {
        this.#keepOpen(id, open, false).catch((error) => this.#context.log.warn("upload not closed", { error }));
      }, IDLE_MS);
      open.timer.unref();
      open.busy = false;
      return;
    }
    try {
      await open.ingest[Symbol.asyncDispose]();
    } finally {
      this.#open.delete(id);
    }
  }

  async #write(
    repository: string,
    ingest: Ingest,
    bytes: AsyncIterable<Uint8Array>,
    range: ChunkRange | undefined,
    location: string,
    digest?: Digest,
  ): Promise<void> {
    if (range && range.start !== ingest.offset) throw outOfOrder(ingest.offset, location);
    const room = this.#roomFor(repository, digest);
    if (range && range.end >= room) throw noRoom(repository);
    const from = ingest.offset;
    for await (const chunk of within(bytes, room - from, repository)) await ingest.write(chunk);
    // What is acknowledged must outlive this process.
    await ingest.flush();
    const came = ingest.offset - from;
    if (range && came !== range.end - range.start + 1) {
      throw new RegistryFault("SIZE_INVALID", `${came} bytes came, Content-Range said otherwise`, { status: 400 });
    }
  }
}

/** Bytes `start` to `end`, both included. */
export interface ChunkRange {
  readonly start: number;
  readonly end: number;
}

/** How the bytes that came so far are told; no byte has no form of its own and is told as one. */
export function rangeOf(offset: number): string {
  return `0-${Math.max(0, offset - 1)}`;
}

/** The bytes, as long as there is room for them: nobody fills the disk with what would be refused in the end. */
async function* within(bytes: AsyncIterable<Uint8Array>, room: number, repository: string) {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > room) throw noRoom(repository);
    yield chunk;
  }
}

function keyOf(id: string): string {
  return `registry/${id}`;
}

const OUT_OF_ORDER = 416;

function outOfOrder(offset: number, location: string): RegistryFault {
  return new RegistryFault("BLOB_UPLOAD_INVALID", `the next byte of this upload is ${offset}`, {
    status: OUT_OF_ORDER,
    headers: { range: rangeOf(offset), location },
  });
}

function isOutOfOrder(error: unknown): boolean {
  return error instanceof RegistryFault && error.status === OUT_OF_ORDER;
}

function busyUpload(): RegistryFault {
  return new RegistryFault("BLOB_UPLOAD_INVALID", "another request writes to this upload", { status: 409 });
}

function notAsPromised(digest: Digest, cause: unknown): RegistryFault {
  return new RegistryFault("DIGEST_INVALID", "provided digest did not match uploaded content", {
    detail: digest,
    cause,
  });
}
