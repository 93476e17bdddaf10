/** Downloads of what is missing of a blob, when parts of it stand in blobs that are here. */
import { HavreError } from "../../base/mod.ts";
import {
  type ContentStore,
  filePart,
  type Ingest,
  KnownChunks,
  type Part,
  readFilePart,
  readTable,
  recipeOf,
  reusedBytes,
  SMALLEST_CHUNKED,
} from "../../content/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import type { RemoteRepository } from "../registry/remote-repository.ts";

type Blob = Pick<Descriptor, "digest" | "size">;

/** How a blob is put together; undefined when nothing of it is known to be here. A look that fails is none. */
export async function partsOf(
  content: ContentStore,
  repository: RemoteRepository,
  { digest, size }: Blob,
  signal: AbortSignal,
): Promise<readonly Part[] | undefined> {
  if (size < SMALLEST_CHUNKED) return undefined;
  try {
    const here = await chunksHere(content);
    // Who has nothing need not ask.
    if (here.isEmpty) return undefined;
    const chunks = await readTable(size, (start, end) => repository.smallPart(digest, start, end, signal));
    const parts = recipeOf(size, chunks ?? [], (name) => here.find(name));
    if (reusedBytes(parts) === 0) return undefined;
    // Held, so that none is collected while it is read.
    const isHere = parts.every(({ from }) => from === undefined || content.has(from.digest));
    return isHere ? parts : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function chunksHere(content: ContentStore): Promise<KnownChunks> {
  const known = new KnownChunks();
  for (const { digest, size } of content.list()) {
    if (size < SMALLEST_CHUNKED) continue;
    const chunks = await readTable(size, (start, end) => filePart(content.path(digest), start, end));
    if (chunks) known.add(digest, chunks);
  }
  return known;
}

/** Adds what is still missing, from here and from the registry. */
export async function receiveParts(
  content: ContentStore,
  repository: RemoteRepository,
  { digest }: Blob,
  parts: readonly Part[],
  ingest: Ingest,
  tell: (event: { readonly kind: "progress"; readonly current: number }) => void,
  signal: AbortSignal,
): Promise<void> {
  let begin = 0;
  for (const { length, from } of parts) {
    const end = begin + length;
    if (ingest.offset < end) {
      const passed = ingest.offset - begin;
      const bytes = from
        ? readFilePart(content.path(from.digest), from.offset + passed, from.offset + length)
        : await repository.blobPart(digest, ingest.offset, end, signal);
      if (!bytes) throw new HavreError("not-implemented", `${repository.host} sends no parts of blobs`);
      for await (const chunk of bytes) {
        signal.throwIfAborted();
        if (ingest.offset + chunk.byteLength > end)
          throw new HavreError("data-loss", `More of blob ${digest} came than was asked for`);
        await ingest.write(chunk);
        tell({ kind: "progress", current: ingest.offset });
      }
      if (ingest.offset < end)
        throw new HavreError(
          "unavailable",
          `${repository.host} stopped after ${ingest.offset} bytes of blob ${digest}`,
        );
    }
    begin = end;
  }
}
