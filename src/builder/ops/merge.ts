import { createReadStream } from "node:fs";
import { chainIds } from "../../base/mod.ts";
import { decompress, type ImageLayer } from "../../images/mod.ts";
import type { OpContext } from "./context.ts";

/** The layers of one stack on top of another: their bytes stay the same, only what they stand on changes. `known`: all were here. */
export async function mergeLayers(
  { snapshots, content }: OpContext,
  base: readonly ImageLayer[],
  upper: readonly ImageLayer[],
  signal: AbortSignal,
): Promise<{ readonly layers: readonly ImageLayer[]; readonly known: boolean }> {
  const merged = [...base];
  let known = true;
  for (const layer of upper) {
    const parent = merged.at(-1)?.chainId;
    const chainId = chainIds([...merged, layer].map(({ diffId }) => diffId)).at(-1) ?? layer.chainId;
    if (!snapshots.has(chainId)) {
      known = false;
      const bytes = createReadStream(content.path(layer.blob.digest), { highWaterMark: 1 << 20 });
      await snapshots.apply(parent, decompress(bytes, signal), layer.diffId, signal);
    }
    merged.push({ ...layer, chainId });
  }
  return { layers: merged, known };
}
