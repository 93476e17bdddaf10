import {
  encodeRecipe,
  filePart,
  type Part,
  readFilePart,
  readTable,
  recipeOf,
  reusedBytes,
  SMALLEST_CHUNKED,
} from "../../content/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import type { Context } from "../context.ts";
import type { LayerProgress } from "../pull/layer-progress.ts";
import { ATTEMPTS, isTemporary, type RemoteRepository } from "../registry/remote-repository.ts";
import type { RemoteChunks } from "./remote-chunks.ts";

/** Where a blob, or parts of it, may be at the registry already. */
export interface Elsewhere {
  /** Another repository that has all of it. */
  readonly mountFrom?: string | undefined;
  readonly chunks?: RemoteChunks;
}

/** Brings one blob to the registry, if it is not there. Returns what `docker push` says of it. */
export async function sendBlob(
  context: Context,
  repository: RemoteRepository,
  blob: Descriptor,
  elsewhere: Elsewhere = {},
  progress?: LayerProgress,
  signal?: AbortSignal,
): Promise<string> {
  if (await repository.hasBlob(blob.digest, signal)) return "Layer already exists";
  const { mountFrom, chunks } = elsewhere;
  const path = context.content.path(blob.digest);
  let inParts = chunks !== undefined && blob.size >= SMALLEST_CHUNKED;
  for (let attempt = 1; ; attempt++) {
    try {
      const mount =
        mountFrom !== undefined && mountFrom !== repository.path ? { digest: blob.digest, from: mountFrom } : undefined;
      const upload = await repository.beginUpload(mount, signal);
      if (upload === undefined) return `Mounted from ${mountFrom}`;
      if (inParts && chunks && upload.takesDeltas) {
        const recipe = await recipeFor(blob, path, chunks, signal);
        // One attempt: whatever it fails of, the whole blob may do.
        inParts = false;
        if (recipe && (await sendParts(repository, upload.location, blob, path, recipe, progress, signal)))
          return "Pushed";
        if (recipe) continue;
      }
      const bytes = () => counted(readFilePart(path, 0, blob.size), 0, progress);
      await repository.upload(upload.location, blob, bytes, signal);
      return "Pushed";
    } catch (error) {
      if (attempt >= ATTEMPTS || !isTemporary(error)) throw error;
      await repository.pause(attempt, signal);
    }
  }
}

/** undefined: nothing of it is at the registry. */
async function recipeFor(
  { size }: Descriptor,
  path: string,
  remote: RemoteChunks,
  signal: AbortSignal | undefined,
): Promise<readonly Part[] | undefined> {
  const chunks = await readTable(size, (start, end) => filePart(path, start, end));
  if (!chunks) return undefined;
  const known = await remote.known(signal);
  const parts = recipeOf(size, chunks, (name) => known.find(name));
  return reusedBytes(parts) > 0 ? parts : undefined;
}

/** False when the registry did not take it so: what it had may be gone, or be something else. */
async function sendParts(
  repository: RemoteRepository,
  location: string,
  { digest, size }: Descriptor,
  path: string,
  parts: readonly Part[],
  progress: LayerProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const recipe = encodeRecipe(parts);
  const reused = reusedBytes(parts);
  const moved = recipe.length + size - reused;
  try {
    const bytes = () => delta(recipe, parts, path, progress);
    await repository.uploadDelta(location, digest, moved, bytes, signal);
    progress?.reused(reused, moved);
    return true;
  } catch {
    signal?.throwIfAborted();
    // What cannot be given up is forgotten by the registry in time.
    await repository.cancelUpload(location, signal).catch(() => {});
    return false;
  }
}

async function* delta(
  recipe: Uint8Array,
  parts: readonly Part[],
  path: string,
  progress: LayerProgress | undefined,
): AsyncGenerator<Uint8Array> {
  yield recipe;
  let at = 0;
  for (const { length, from } of parts) {
    if (!from) yield* counted(readFilePart(path, at, at + length), at, progress);
    at += length;
  }
}

/** The bytes as they are sent; the registry checks their digest, so it is not checked here a second time. */
async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  before: number,
  progress: LayerProgress | undefined,
): AsyncGenerator<Uint8Array> {
  let current = before;
  for await (const chunk of bytes) {
    yield chunk;
    current += chunk.length;
    progress?.pushing(current);
  }
}
