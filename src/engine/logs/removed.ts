import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, HavreError, isHavreError } from "../../base/mod.ts";
import { type OutputChunk, readLog } from "../../runtime/mod.ts";
import { defineKind, type Store } from "../../store/mod.ts";
import { type Container, containerKind } from "../container.ts";
import type { LogOptions, RemovedLogReader } from "../engine.ts";
import { LOGS_KEEP_LABEL, logsKeep } from "./retention.ts";

/** The logs of a container that is gone. */
export interface RemovedLog {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly removedAt: number;
  readonly terminal: boolean;
  /** Milliseconds; absent: as long as all. */
  readonly keep?: number;
}

export const removedLogKind = defineKind<RemovedLog>("removed-log", {
  name: { unique: false, values: (log) => [log.name] },
});

const DAY = 24 * 3600 * 1000;
/** Milliseconds. A removal that takes longer hangs on something else than files. */
const REMOVAL_WAIT = 5000;

/** Keeps logs of removed containers for a while: they are often wanted just after `rm`. */
export class RemovedLogs implements RemovedLogReader {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #containers: string;
  readonly #folder: string;
  readonly #retention: number;
  readonly #most: number;

  /** `folder` and `containers` on one file system; `retentionDays` and `most` bound what is kept. */
  constructor(
    store: Store,
    clock: Clock,
    paths: { readonly containers: string; readonly folder: string },
    { retentionDays = 7, most = 200 }: { readonly retentionDays?: number; readonly most?: number } = {},
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#containers = paths.containers;
    this.#folder = paths.folder;
    this.#retention = retentionDays * DAY;
    this.#most = most;
  }

  /** Moves a removed container's log files here; free of effect when it never wrote any. */
  async keep(container: Container): Promise<void> {
    const from = join(this.#containers, container.id);
    const files = (await listFolder(from)).filter((file) => file.startsWith("container.log"));
    const keep = keepOf(container);
    if (files.length === 0 || keep === 0) return;
    const to = join(this.#folder, container.id);
    await mkdir(to, { recursive: true, mode: 0o700 });
    for (const file of files) await rename(join(from, file), join(to, file));
    const { id, name, spec } = container;
    const removed = { id, name, removedAt: this.#clock.now(), terminal: spec.config.Tty };
    await this.#store.update((tx) => tx.put(removedLogKind, keep === undefined ? removed : { ...removed, keep }));
    await this.expire();
  }

  /** The newest removed container with this name or id prefix, and the path of its log. */
  find(nameOrId: string): { readonly log: RemovedLog; readonly path: string } {
    const name = nameOrId.replace(/^\//, "");
    const log = this.#store.view((tx) => {
      const named = [...tx.find(removedLogKind, "name", name)].sort((a, b) => b.removedAt - a.removedAt)[0];
      return named ?? (/^[0-9a-f]+$/.test(name) ? tx.findByIdPrefix(removedLogKind, name)[0] : undefined);
    });
    if (!log) {
      throw new HavreError("not-found", `No logs of a removed container ${name}`, {
        hint: `Logs are kept for ${this.#retention / DAY} days after a container is removed, or as its label ${LOGS_KEEP_LABEL} says`,
      });
    }
    return { log, path: join(this.#folder, log.id, "container.log") };
  }

  async read(
    nameOrId: string,
    { follow: _ended, ...query }: LogOptions,
    signal?: AbortSignal,
  ): Promise<{ readonly terminal: boolean; readonly output: AsyncIterable<OutputChunk> }> {
    await this.#removalsEnded(nameOrId.replace(/^\//, ""), signal);
    await this.expire();
    const { log, path } = this.find(nameOrId);
    return { terminal: log.terminal, output: readLog(path, signal === undefined ? query : { ...query, signal }) };
  }

  /** A container's files come here after its removal was answered: waits for those on the way, as long as that is sensible. */
  async #removalsEnded(nameOrId: string, signal?: AbortSignal): Promise<void> {
    const underWay = (): boolean =>
      this.#store.view((tx) =>
        [...tx.list(containerKind)].some(
          ({ id, name, status }) => status.state === "removing" && (name === nameOrId || id.startsWith(nameOrId)),
        ),
      );
    const ended = Promise.withResolvers<void>();
    using _watching = this.#store.watch(containerKind, () => {
      if (!underWay()) ended.resolve();
    });
    if (!underWay()) return;
    const limit = AbortSignal.timeout(REMOVAL_WAIT);
    AbortSignal.any(signal ? [signal, limit] : [limit]).addEventListener("abort", () => ended.resolve());
    await ended.promise;
  }

  /** Deletes what is older than the retention or beyond the number kept, and folders that no object names. */
  async expire(): Promise<void> {
    const now = this.#clock.now();
    const logs = [...this.#store.view((tx) => tx.list(removedLogKind))].sort((a, b) => b.removedAt - a.removedAt);
    const expired = logs.filter(
      ({ removedAt, keep = this.#retention }, index) => index >= this.#most || now - removedAt > keep,
    );
    for (const log of expired) {
      await rm(join(this.#folder, log.id), { recursive: true, force: true });
      await this.#store.update((tx) => tx.delete(removedLogKind, log.id));
    }
  }
}

/** A label that was changed since to what is no time counts for nothing. */
function keepOf({ spec }: Container): number | undefined {
  try {
    return logsKeep(spec.config.Labels);
  } catch (error) {
    if (isHavreError(error, "invalid-argument")) return undefined;
    throw error;
  }
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
