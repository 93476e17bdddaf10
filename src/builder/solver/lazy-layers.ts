import type { Digest } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import type { LayeredTree } from "./tree.ts";

/** Makes a layer that is known and not here. What comes of it may be another one than was known, or none. */
export type MakeLayer = (below: LayeredTree) => Promise<ImageLayer | undefined>;

interface Lazy {
  readonly below: LayeredTree;
  readonly make: MakeLayer;
}

/**
 * Layers that another cache tells of and that are brought only when somebody looks into them. Until then they stand in trees by their
 * chain ids.
 */
export class LazyLayers {
  readonly #lazy = new Map<Digest, Lazy>();
  readonly #brought = new Map<Digest, Promise<LayeredTree>>();

  add(chainId: Digest, below: LayeredTree, make: MakeLayer): void {
    if (!this.#lazy.has(chainId)) this.#lazy.set(chainId, { below, make });
  }

  /** Whether a layer stands only by its name yet. */
  has(chainId: Digest): boolean {
    return this.#lazy.has(chainId);
  }

  /** The tree with all its layers here. */
  async bring(tree: LayeredTree): Promise<LayeredTree> {
    const top = tree.layers.at(-1);
    const at = tree.layers.findLastIndex(({ chainId }) => this.#lazy.has(chainId));
    const last = tree.layers[at];
    if (top === undefined || last === undefined) return tree;
    const lower = await this.#one(last.chainId);
    return { ...tree, layers: [...lower.layers, ...tree.layers.slice(at + 1)] };
  }

  #one(chainId: Digest): Promise<LayeredTree> {
    const known = this.#brought.get(chainId);
    if (known) return known;
    const brought = this.#make(chainId);
    this.#brought.set(chainId, brought);
    return brought;
  }

  async #make(chainId: Digest): Promise<LayeredTree> {
    const lazy = this.#lazy.get(chainId) as Lazy;
    const below = await this.bring(lazy.below);
    const layer = await lazy.make(below);
    return layer ? { ...below, layers: [...below.layers, layer] } : below;
  }
}
