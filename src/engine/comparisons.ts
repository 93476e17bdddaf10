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

  compare(before: string, after: string, signal?: AbortSignal): Promise<Difference> {
    return this.#withSide(before, (a) => this.#withSide(after, (b) => this.#images.diff(a, b, signal)));
  }

  async #withSide<T>(ref: string, use: (side: string | TreeSource) => Promise<T>): Promise<T> {
    const container = findContainer(this.#context.store, ref);
    if (!container) return use(ref);
    const { id } = container;
    const { snapshots, locks } = this.#context;
    const config = this.#config(container);
    if (hasProcess(container)) return use({ folder: snapshots.mountPoint(id), config });
    // Under the lock: a start meanwhile would find its tree unmounted again.
    return locks.run(id, async () => {
      const folder = await snapshots.mount(id);
      try {
        return await use({ folder, config });
      } finally {
        await snapshots.unmount(id);
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
