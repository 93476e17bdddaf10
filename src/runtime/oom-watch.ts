import { existsSync, type FSWatcher, rmSync, watch } from "node:fs";
import { join } from "node:path";
import type { RuntimeSpec } from "../spec/mod.ts";

/**
 * Reports kills for want of memory: while the container runs by the file the supervisor leaves in the bundle folder,
 * at its end by the cgroup's own count, which also covers what the supervisor had no time to write.
 */
export class OomWatch implements Disposable {
  readonly #listeners = new Set<(id: string) => void>();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #reported = new Set<string>();

  onOom(listener: (id: string) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Watches a container; only one with a memory limit of its own can be killed for it. */
  begin(id: string, bundle: string): void {
    if (this.#watchers.has(id)) return;
    const look = () => {
      const file = join(bundle, "oom");
      if (!existsSync(file)) return;
      rmSync(file, { force: true });
      this.#report(id);
    };
    const watcher = watch(bundle, { persistent: false }, (_event, name) => {
      if (name === "oom") look();
    });
    watcher.on("error", () => {});
    this.#watchers.set(id, watcher);
    look();
  }

  /** `kills`: the cgroup's count. */
  end(id: string, kills: number): void {
    this.#watchers.get(id)?.close();
    this.#watchers.delete(id);
    if (kills > 0 && !this.#reported.has(id)) this.#report(id);
    this.#reported.delete(id);
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#listeners.clear();
  }

  #report(id: string): void {
    this.#reported.add(id);
    for (const listener of this.#listeners) listener(id);
  }
}

export function hasMemoryLimit(spec: RuntimeSpec): boolean {
  return (spec.linux.resources?.memory?.limit ?? 0) > 0;
}
