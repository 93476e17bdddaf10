import type { Digest } from "../../base/mod.ts";
import type { Image } from "../../images/mod.ts";

/**
 * By image: the bytes it has in common with others. Layer sizes are not told apart by an image, so an image counts as shared as a whole
 * when another stands on all of its layers.
 */
export function sharedSizes(images: readonly Image[]): ReadonlyMap<Digest, number> {
  const holders = new Map<Digest, number>();
  for (const { chain } of images) for (const id of chain) holders.set(id, (holders.get(id) ?? 0) + 1);
  return new Map(
    images.map(({ id, chain, size }) => {
      const top = chain.at(-1);
      return [id, top !== undefined && (holders.get(top) ?? 0) > 1 ? size : 0];
    }),
  );
}
