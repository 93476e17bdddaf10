import { existsSync, type FSWatcher, rmSync, watch } from "node:fs";
import { join } from "node:path";
import type { RuntimeSpec } from "../spec/mod.ts";

/** A version 2 cgroup's own word on kills. */
export interface MemoryEvents {
  /** `memory.events`: the kernel tells watchers of every change. */
  readonly file: string;
  /** Kills so far. */
  readonly kills: () => number;
}

/**
 * Reports kills for want of memory: while the container runs by the cgroup's events (version 2) or the file the
 * supervisor leaves in the bundle folder (version 1), at its end by the cgroup's own count, which also covers what
 * nobody had time to tell. conmon 2.1.6 stops watching version 2 at the first event that is no kill.
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
  begin(id: string, bundle: string, events?: MemoryEvents): void {
    if (this.#watchers.has(id)) return;
    if (events === undefined) this.#watchBundle(id, bundle);
    else this.#watchEvents(id, events);
  }

  #watchEvents(id: string, { file, kills }: MemoryEvents): void {
    // The cgroup may be gone already: its container's end then tells.
    if (!existsSync(file)) return;
    let known = kills();
    const watcher = watch(file, { persistent: false }, () => {
      const now = kills();
      if (now > known) this.#report(id);
      known = now;
    });
    watcher.on("error", () => {});
    this.#watchers.set(id, watcher);
  }

  #watchBundle(id: string, bundle: string): void {
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
