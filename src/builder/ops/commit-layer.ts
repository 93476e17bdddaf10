import { type Digest, digestOf } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import { mediaTypes } from "../../spec/mod.ts";
import type { OpContext } from "./context.ts";

/** A tar of nothing: two blocks of zeros. */
const EMPTY_LAYER: Digest = digestOf(new Uint8Array(1024));

/** Makes the writable layer `key` a layer; undefined when nothing was changed in it. The key is gone either way. */
export async function commitLayer(
  { content, snapshots }: OpContext,
  key: string,
  signal: AbortSignal,
): Promise<ImageLayer | undefined> {
  const blob = await content.ingest(snapshots.diff(key), undefined, signal);
  if (blob.digest === EMPTY_LAYER) {
    await snapshots.remove(key);
    return undefined;
  }
  const { chainId, diffId, size } = await snapshots.commit(key, blob.digest);
  return { chainId, diffId, size, blob: { mediaType: mediaTypes.ociLayer, ...blob } };
}
