/**
 * Whether an unpacked layer's tree is still what it was made as. Its marks are taken as it is made: every name, inode, size and time of the
 * last change. They are looked at before a tree is used; a look serves whatever starts within the next seconds, for a container's
 * neighbours start with it and a large tree has many files (some microseconds each). Where they differ the whole tree is read.
 */
import { type Clock, type Digest, errnoOf, systemClock } from "../base/mod.ts";
import type { Runner } from "./work/runner.ts";
import type { TreeSeal } from "./work/tree-seal.ts";

/** Milliseconds that a look at a tree serves. */
const LOOK_SERVES = 10_000;
/** Inodes that are looked at without waking the worker. */
const FEW = 300;

interface Look {
  readonly at: number;
  readonly mark: Promise<Digest>;
}

export class UnpackedSeals {
  readonly #runners: { readonly here: Runner; readonly worker: Runner };
  readonly #clock: Clock;
  readonly #looks = new Map<string, Look>();

  constructor(runners: { readonly here: Runner; readonly worker: Runner }, clock: Clock = systemClock) {
    this.#runners = runners;
    this.#clock = clock;
  }

  /** Whether the tree `folder` of some `inodes` files has this mark. */
  async holds(folder: string, mark: Digest, inodes: number): Promise<boolean> {
    const now = this.#clock.now();
    for (const [path, { at }] of this.#looks) if (at > now || now - at >= LOOK_SERVES) this.#looks.delete(path);
    let look = this.#looks.get(folder);
    if (!look) {
      look = { at: now, mark: this.mark(folder, inodes) };
      this.#looks.set(folder, look);
    }
    // A tree that is gone, or changes as it is looked at, has no mark.
    const held = await look.mark.catch((error: unknown) => {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    });
    // One that was touched is looked at again each time, until it is mended.
    if (held !== mark && this.#looks.get(folder) === look) this.#looks.delete(folder);
    return held === mark;
  }

  mark(folder: string, inodes: number): Promise<Digest> {
    const runner = inodes <= FEW ? this.#runners.here : this.#runners.worker;
    return runner.run({ kind: "mark-tree", folder });
  }

  read(folder: string, signal?: AbortSignal): Promise<TreeSeal> {
    return this.#runners.worker.run({ kind: "seal-tree", folder }, undefined, signal);
  }
}
