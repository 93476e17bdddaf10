import { HavreError, isHavreError, KeyedMutex, Semaphore, SharedWork } from "../../base/mod.ts";
import { type ContentStore, type Ingest, reusedBytes } from "../../content/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import { ATTEMPTS, isTemporary, type RemoteRepository } from "../registry/remote-repository.ts";
import { partsOf, receiveParts } from "./parts.ts";

/** Docker's default of downloads at a time. */
const AT_ONCE = 3;

export interface DownloadListener {
  /** Others are first. */
  waiting(): void;
  /** Bytes here so far. */
  progress(current: number): void;
  /** All bytes came; they are being verified. */
  verifying(): void;
  /** It was put together: so many bytes were here, so many came. */
  reused(bytes: number, moved: number): void;
}

type DownloadEvent =
  | { readonly kind: "progress"; readonly current: number }
  | { readonly kind: "verifying" }
  | { readonly kind: "reused"; readonly bytes: number; readonly moved: number };

/**
 * Blobs on their way from registries into the content store. Two that want the same blob share one download, which
 * stops when both have gone; what came is kept and gone on with next time.
 */
export class Downloads {
  readonly #content: ContentStore;
  readonly #slots = new Semaphore(AT_ONCE);
  readonly #running = new SharedWork<void, DownloadEvent>({ replays: false });
  #underWay = 0;
  /** One that is being stopped lets go of its file before the next one takes it. */
  readonly #files = new KeyedMutex();

  constructor(content: ContentStore) {
    this.#content = content;
  }

  /** Resolves when the blob is here and verified. `data-loss` naming it when it is not what its descriptor says. */
  async fetch(
    repository: RemoteRepository,
    blob: Pick<Descriptor, "digest" | "size">,
    listener: DownloadListener,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    if (this.#content.has(blob.digest)) return;
    if (this.#underWay >= AT_ONCE) listener.waiting();
    await this.#running.run(
      blob.digest,
      (tell, stop) =>
        this.#slots.run(() => this.#files.run(blob.digest, () => this.#download(repository, blob, tell, stop))),
      (event) => {
        if (event.kind === "verifying") listener.verifying();
        else if (event.kind === "reused") listener.reused(event.bytes, event.moved);
        else listener.progress(event.current);
      },
      signal,
    );
    this.#content.has(blob.digest); // Held for this caller too, whoever began the download.
  }

  async #download(
    repository: RemoteRepository,
    blob: Pick<Descriptor, "digest" | "size">,
    tell: (event: DownloadEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.#underWay++;
    try {
      await this.#attempts(repository, blob, tell, signal);
    } finally {
      this.#underWay--;
    }
  }

  async #attempts(
    repository: RemoteRepository,
    blob: Pick<Descriptor, "digest" | "size">,
    tell: (event: DownloadEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let parts = await partsOf(this.#content, repository, blob, signal);
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      await using ingest = await this.#content.resume(`blob ${blob.digest}`);
      const before = ingest.offset;
      try {
        if (parts) await receiveParts(this.#content, repository, blob, parts, ingest, tell, signal);
        else await receive(repository, blob, ingest, tell, signal);
        tell({ kind: "verifying" });
        await ingest.commit(blob);
        if (parts) tell({ kind: "reused", bytes: reusedBytes(parts), moved: blob.size - reusedBytes(parts) });
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (parts && !isTemporary(error)) {
          // Whatever was wrong with the parts, here or there: the whole blob may do.
          parts = undefined;
          if (isHavreError(error, "data-loss")) await ingest.discard();
          continue;
        }
        // Bytes of an earlier run may have been damaged since; those of this one were a lie.
        const staleBytes = before > 0 && isHavreError(error, "data-loss");
        if (isHavreError(error, "data-loss")) await ingest.discard();
        if (staleBytes) continue;
        // As long as something comes, going on is worth it.
        if (ingest.offset > before) attempt = 1;
        if (attempt >= ATTEMPTS || !isTemporary(error)) throw error;
      }
      await repository.pause(attempt, signal);
    }
  }
}

/** Adds what is still missing. A registry that cannot begin in the middle sends everything, of which the known part is passed over. */
async function receive(
  repository: RemoteRepository,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  ingest: Ingest,
  tell: (event: DownloadEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  if (ingest.offset >= size) return;
  const { offset, body } = await repository.blob(digest, ingest.offset, signal);
  let skip = ingest.offset - offset;
  for await (const chunk of body) {
    const fresh = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.byteLength));
    skip -= chunk.byteLength - fresh.byteLength;
    if (ingest.offset + fresh.byteLength > size) {
      throw new HavreError("data-loss", `Blob ${digest} is not what was promised: more than ${size} bytes came`);
    }
    if (fresh.byteLength > 0) await ingest.write(fresh);
    tell({ kind: "progress", current: ingest.offset });
  }
  if (ingest.offset < size) {
    throw new HavreError(
      "unavailable",
      `${repository.host} stopped after ${ingest.offset} of the ${size} bytes of blob ${digest}`,
    );
  }
}
