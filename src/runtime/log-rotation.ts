import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Logger } from "../base/mod.ts";
import { endGenerations, keepGenerations } from "./log-files.ts";
import type { LogSpec } from "./runtime.ts";

/** Keeps the generations of the running containers' logs: one watched folder for each container that has a bounded log. */
export class LogRotation implements Disposable {
  readonly #logger: Logger;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  begin(id: string, log: LogSpec): void {
    const { path, maxFiles = 1 } = log;
    if (path === undefined || maxFiles <= 1 || this.#watchers.has(id)) return;
    const keep = () => this.#guard(id, () => keepGenerations(path, maxFiles));
    const name = basename(path);
    this.#guard(id, () => {
      const watcher = watch(dirname(path), { persistent: false }, (event, changed) => {
        if (event === "rename" && changed === name) keep();
      });
      watcher.on("error", () => {});
      this.#watchers.set(id, watcher);
    });
    keep();
  }

  end(id: string, log: LogSpec): void {
    this.#watchers.get(id)?.close();
    this.#watchers.delete(id);
    const { path, maxFiles = 1 } = log;
    if (path !== undefined) this.#guard(id, () => endGenerations(path, maxFiles));
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** A full disk or a removed folder must not end the daemon: the log stays bounded without us. */
  #guard(id: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#logger.warn("Could not keep a generation of a log", { id, error });
    }
  }
}
