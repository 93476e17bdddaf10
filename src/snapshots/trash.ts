import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, type Logger, newId } from "../base/mod.ts";
import { mountInfo, unmount } from "../kernel/mod.ts";
import type { TreeRunner } from "./work/runner.ts";

/** Folders on their way out: renamed here at once, removed in the background one after another. */
export class Trash {
  readonly #folder: string;
  readonly #runner: TreeRunner;
  readonly #log: Logger;
  #work: Promise<void> = Promise.resolve();

  constructor(folder: string, runner: TreeRunner, log: Logger) {
    this.#folder = folder;
    this.#runner = runner;
    this.#log = log;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Takes `path` away. Free of effect when it is not there. */
  take(path: string): void {
    const name = newId();
    try {
      renameSync(path, join(this.#folder, name));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    this.#remove(name);
  }

  /** What an earlier daemon had not removed yet. */
  resume(): void {
    const inside = `${this.#folder}/`;
    for (const { mountPoint } of mountInfo().reverse()) {
      if (mountPoint.startsWith(inside)) unmount(mountPoint, { detach: true });
    }
    for (const name of readdirSync(this.#folder)) this.#remove(name);
  }

  /** Resolves when everything taken so far is gone. */
  emptied(): Promise<void> {
    return this.#work;
  }

  #remove(name: string): void {
    const job = { kind: "remove", folder: this.#folder, name } as const;
    this.#work = this.#work
      .then(() => this.#runner.run(job))
      .catch((error: unknown) => this.#log.warn("A removed folder could not be deleted", { folder: name, error }));
  }
}
