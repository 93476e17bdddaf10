import { runAll, Undoes } from "../base/mod.ts";
import type { VolumePauser } from "../volumes/mod.ts";
import { containerKind } from "./container.ts";
import { type EngineContext, runtimeName } from "./context.ts";

/** Lets containers that have a volume stand still for a backup of it. A daemon that dies meanwhile lets them go on when it is back. */
export class VolumePauses implements VolumePauser {
  readonly #context: () => EngineContext;

  /** `context`: asked for when it is there; the volumes are part of it. */
  constructor(context: () => EngineContext) {
    this.#context = context;
  }

  async pause(volume: string): Promise<AsyncDisposable> {
    const context = this.#context();
    const running = context.store
      .view((tx) => tx.find(containerKind, "volume", volume))
      .filter(({ status }) => status.state === "running");
    const paused = await Undoes.run(async (undoes) => {
      for (const container of running) {
        const name = runtimeName(context, container);
        await context.locks.run(container.id, () => context.runtime.pause(container.id, name));
        undoes.add(() => context.runtime.resume(container.id, name));
      }
      return running;
    });
    return {
      [Symbol.asyncDispose]: () =>
        runAll(
          paused.map((container) => async () => {
            // One that was killed meanwhile has nothing to go on with.
            const now = context.store.view((tx) => tx.get(containerKind, container.id));
            if (now?.status.state === "running")
              await context.runtime.resume(container.id, runtimeName(context, container));
          }),
        ),
    };
  }
}
