import { createReadStream } from "node:fs";
import { type Digest, digestOf } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import { mediaTypes } from "../../spec/mod.ts";
import { clampTimes } from "./clamp-times.ts";
import type { OpContext } from "./context.ts";

/** A tar of nothing: two blocks of zeros. */
const EMPTY_LAYER: Digest = digestOf(new Uint8Array(1024));

/**
 * Makes the writable layer `key` on `parent` a layer; undefined when nothing was changed in it. The key is gone either way.
 * `latest`: what no time in it is to be later than, milliseconds since the epoch.
 */
export async function commitLayer(
  { content, snapshots }: OpContext,
  key: string,
  parent: Digest | undefined,
  latest: number | undefined,
  signal: AbortSignal,
): Promise<ImageLayer | undefined> {
  const tar = snapshots.diff(key);
  const clamped = latest === undefined ? tar : clampTimes(tar, BigInt(latest) * 1_000_000n);
  const blob = await content.ingest(clamped, undefined, signal);
  if (blob.digest === EMPTY_LAYER) {
    await snapshots.remove(key);
    return undefined;
  }
  const made =
    latest === undefined
      ? await snapshots.commit(key, blob.digest)
      : // What the layer says differs from what was made: the tree is made of what it says.
        await snapshots.apply(parent, createReadStream(content.path(blob.digest)), blob.digest, signal);
  if (latest !== undefined) await snapshots.remove(key);
  const { chainId, diffId, size } = made;
  return { chainId, diffId, size, blob: { mediaType: mediaTypes.ociLayer, ...blob } };
}
