import type { Digest, Logger } from "../base/mod.ts";
import type { Layers } from "./layers.ts";
import type { Runner } from "./work/runner.ts";

/** What is done for new layers after the answer: they are written to disk, and the unpacked ones read. */
export class NewLayers {
  readonly #layers: Layers;
  readonly #worker: Runner;
  readonly #log: Logger;
  #syncing: Promise<void> | undefined;
  #digesting: Promise<void> | undefined;
  #stopped = false;

  constructor(layers: Layers, worker: Runner, log: Logger) {
    this.#layers = layers;
    this.#worker = worker;
    this.#log = log;
  }

  /**
   * Writes several at once: it takes as long as the disk has other things to write, and until then a layer is as good as
   * any, unless the power fails.
   */
  keep(): void {
    this.#syncing ??= (async () => {
      for (let fresh = this.#layers.unsynced(); fresh.length > 0; fresh = this.#layers.unsynced()) {
        await this.#worker.run({ kind: "sync", folder: this.#layers.folder });
        for (const chainId of fresh) this.#layers.markSynced(chainId);
      }
    })()
      .catch((error: unknown) => this.#log.warn("New layers could not be written to disk", { error }))
      .finally(() => {
        this.#syncing = undefined;
        this.#digest();
      });
  }

  /** Resolves when all is done that was begun. */
  async kept(): Promise<void> {
    await this.#syncing;
    await this.#digesting;
  }

  /** Begins no further reading: the next daemon goes on with it. */
  stop(): void {
    this.#stopped = true;
  }

  /** What is in unpacked layers is known from then on. */
  #digest(): void {
    this.#digesting ??= (async () => {
      const failed = new Set<Digest>();
      const next = () => this.#layers.undigested().find((chainId) => !failed.has(chainId));
      for (let chainId = next(); chainId !== undefined && !this.#stopped; chainId = next()) {
        try {
          await this.#layers.digestTree(chainId);
        } catch (error) {
          failed.add(chainId);
          // One that was collected meanwhile is nobody's loss.
          if (this.#layers.has(chainId)) this.#log.warn("A new layer could not be read", { error });
        }
      }
    })().finally(() => {
      this.#digesting = undefined;
    });
  }
}
