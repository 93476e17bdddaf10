import { HavreError } from "../base/mod.ts";
import type { FileChange } from "../snapshots/mod.ts";
import type { EngineContext } from "./context.ts";
import type { Archives } from "./engine.ts";
import { getContainer } from "./lookup.ts";

/** Files in and out of containers: so far only what changed. */
export class ContainerArchives implements Archives {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  stat = notYet;
  get = notYet;
  put = notYet;
  export = notYet;

  async changes(ref: string): Promise<readonly FileChange[]> {
    const { id } = getContainer(this.#context.store, ref);
    return Array.fromAsync(this.#context.snapshots.changes(id));
  }
}

async function notYet(): Promise<never> {
  throw new HavreError("not-implemented", "Copying files in and out of containers is not available yet");
}
