/** Reading an image's bytes anew: are they what their digests say. */
import { type Digest, isHavreError } from "../base/mod.ts";
import type { Context } from "./context.ts";
import { familiar, resolveImage, tagsOf } from "./resolve.ts";

/** `unpacked`: files in folders, so new that they were not read yet; they were checked when they were unpacked. */
export interface CheckedPart {
  readonly kind: "blob" | "layer";
  /** Of a layer: its chain id. */
  readonly digest: Digest;
  readonly state: "whole" | "unpacked" | "damaged";
  /** What is wrong. */
  readonly why?: string;
}

export interface CheckedImage {
  readonly id: Digest;
  readonly tags: readonly string[];
  readonly parts: readonly CheckedPart[];
}

/** Reads everything of an image that is here, digest by digest. `not-found` as any use of its name. */
export async function checkImage(context: Context, nameOrId: string, signal?: AbortSignal): Promise<CheckedImage> {
  const { store, content, snapshots } = context;
  const { image, tags } = store.view((tx) => {
    const found = resolveImage(tx, nameOrId);
    return { image: found, tags: tagsOf(tx, found.id).map(familiar) };
  });
  const blobs = new Set<Digest>([image.id]);
  for (const { descriptor, layers, index } of image.manifests) {
    for (const { digest } of [descriptor, ...layers, ...(index ? [index] : [])]) blobs.add(digest);
  }
  const parts: CheckedPart[] = [];
  for (const digest of blobs) {
    // A layer's blob may be gone where its tree is kept.
    if (!content.has(digest)) continue;
    parts.push(await part("blob", digest, () => readThrough(content.stream(digest), signal)));
  }
  for (const chainId of image.chain) {
    parts.push(await part("layer", chainId, () => snapshots.check(chainId, signal)));
  }
  return { id: image.id, tags, parts };
}

async function part(
  kind: CheckedPart["kind"],
  digest: Digest,
  read: () => Promise<"whole" | "unpacked">,
): Promise<CheckedPart> {
  try {
    return { kind, digest, state: await read() };
  } catch (error) {
    if (!isHavreError(error, "data-loss") && !isHavreError(error, "not-found")) throw error;
    return { kind, digest, state: "damaged", why: error.message };
  }
}

async function readThrough(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<"whole"> {
  for await (const _ of bytes) signal?.throwIfAborted();
  return "whole";
}
