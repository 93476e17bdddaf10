import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, type Logger, newId } from "../base/mod.ts";
import { mountInfo, unmount } from "../kernel/mod.ts";
import type { Runner } from "./work/runner.ts";

/** Folders on their way out: renamed here at once, removed in the background one after another. */
export class Trash {
  readonly #folder: string;
  readonly #here: Runner;
  readonly #worker: Runner;
  readonly #log: Logger;
  #work: Promise<void> = Promise.resolve();

  constructor(folder: string, runners: { readonly here: Runner; readonly worker: Runner }, log: Logger) {
    this.#folder = folder;
    this.#here = runners.here;
    this.#worker = runners.worker;
    this.#log = log;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Takes `path` away, to be removed once `ready`. Free of effect when it is not there. */
  take(path: string, ready: Promise<unknown> = Promise.resolve()): void {
    const name = newId();
    try {
      renameSync(path, join(this.#folder, name));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    this.#remove(name, ready);
  }

  /** What an earlier daemon had not removed yet. */
  resume(): void {
    const inside = `${this.#folder}/`;
    for (const { mountPoint } of mountInfo().reverse()) {
      if (mountPoint.startsWith(inside)) unmount(mountPoint, { detach: true });
    }
    for (const name of readdirSync(this.#folder)) this.#remove(name, Promise.resolve());
  }

  /** Resolves when everything taken so far is gone. */
  emptied(): Promise<void> {
    return this.#work;
  }

  #remove(name: string, ready: Promise<unknown>): void {
    const job = { kind: "remove", folder: this.#folder, name } as const;
    this.#work = this.#work
      .then(() => ready)
      .then(async () => {
        // What a container leaves is mostly a few files: not worth waking a worker.
        const small = await this.#here.run({ kind: "is-small", folder: join(this.#folder, name) });
        await (small ? this.#here : this.#worker).run(job);
      })
      .catch((error: unknown) => this.#log.warn("A removed folder could not be deleted", { folder: name, error }));
  }
}
