import type { Logger } from "../base/mod.ts";
import type { Usage } from "./snapshots.ts";
import { Trash } from "./trash.ts";
import type { CopiedTree } from "./work/copy-tree.ts";
import { LocalRunner, type Runner } from "./work/runner.ts";
import { WorkerRunner } from "./work/worker-runner.ts";

export type { CopiedTree } from "./work/copy-tree.ts";

/** Work on whole trees that are no layers: those of volumes. Small ones are worked on here, others in a worker. */
export class Trees {
  readonly #here = new LocalRunner();
  readonly #worker = new WorkerRunner();
  readonly #trash: Trash;

  /** `trash`: where trees wait to be removed, on the file system of those that are. */
  constructor(trash: string, log: Logger) {
    this.#trash = new Trash(trash, { here: this.#here, worker: this.#worker }, log);
  }

  /** Makes the empty folder `target` the same tree as `source`, sharing content where the file system can. */
  async copy(source: string, target: string, signal?: AbortSignal): Promise<CopiedTree> {
    return (await this.#for(source)).run({ kind: "copy-tree", source, target }, undefined, signal);
  }

  /** A tree as an archive, its top folder as `./` first: what `unpack` takes. */
  pack(folder: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    return this.#worker.stream({ kind: "pack-tree", root: folder, path: "/." }, signal);
  }

  /** Makes the empty folder `folder` the tree of an archive, the top folder's own attributes too. */
  async unpack(folder: string, tar: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const job = { kind: "unpack-tree", root: folder, path: "/", noOverwriteDirNonDir: false, top: true } as const;
    await this.#worker.run(job, tar, signal);
  }

  /** Writes the file system of a folder to disk. */
  async sync(folder: string): Promise<void> {
    await this.#worker.run({ kind: "sync", folder });
  }

  async usage(folder: string): Promise<Usage> {
    return (await this.#for(folder)).run({ kind: "usage", folder });
  }

  /** Takes a tree away at once; its files go in the background. Free of effect when it is not there. */
  discard(path: string): void {
    this.#trash.take(path);
  }

  /** Goes on with what an earlier daemon had not removed yet. */
  recover(): void {
    this.#trash.resume();
  }

  /** Waits for removals and ends the worker. Not needed before a daemon ends: the next one goes on. */
  async close(): Promise<void> {
    await this.#trash.emptied();
    this.#worker.close();
  }

  async #for(folder: string): Promise<Runner> {
    return (await this.#here.run({ kind: "is-small", folder })) ? this.#here : this.#worker;
  }
}
