import type { Difference, ImageHistory, TreeSource } from "../images/mod.ts";
import { executionConfig } from "./commits.ts";
import type { Container } from "./container.ts";
import type { EngineContext } from "./context.ts";
import type { Comparisons } from "./engine.ts";
import { findContainer, hasProcess } from "./lookup.ts";

/** Compares any two of images and containers. A name that both have is the container's. */
export class ContainerComparisons implements Comparisons {
  readonly #context: EngineContext;
  readonly #images: ImageHistory;

  constructor(context: EngineContext, images: ImageHistory) {
    this.#context = context;
    this.#images = images;
  }

  async compare(before: string, after: string, signal?: AbortSignal): Promise<Difference> {
    const [a, b] = [before, after].map((ref) => findContainer(this.#context.store, ref));
    // A container is held while it is looked at, and cannot be held twice.
    const same = a !== undefined && a.id === b?.id;
    const found = await this.#withSide(before, a, (left) =>
      same
        ? this.#images.diff(left, left, signal)
        : this.#withSide(after, b, (right) => this.#images.diff(left, right, signal)),
    );
    if (!a && !b) return found;
    // Who made an image and why is said of images only.
    return { ...found, config: found.config.filter(({ field }) => field !== "author" && field !== "comment") };
  }

  async #withSide<T>(
    ref: string,
    container: Container | undefined,
    use: (side: string | TreeSource) => Promise<T>,
  ): Promise<T> {
    if (!container) return use(ref);
    const { id } = container;
    const { snapshots, trees, locks } = this.#context;
    const config = this.#config(container);
    const ids = this.#context.identities.of(id);
    if (hasProcess(container)) return use({ folder: snapshots.mountPoint(id), ids, config });
    // Under the lock: a start meanwhile would find its tree unmounted again.
    return locks.run(id, async () => {
      const folder = await trees.join(id);
      try {
        return await use({ folder, ids, config });
      } finally {
        trees.leave(id);
        await trees.release(id);
      }
    });
  }

  /** What an image made of the container would say of itself. */
  #config(container: Container): TreeSource["config"] {
    const { imageId } = container.spec;
    const image = imageId === undefined ? undefined : this.#context.images.get(imageId);
    return { ...image?.config, config: executionConfig(container.spec.config) };
  }
}
