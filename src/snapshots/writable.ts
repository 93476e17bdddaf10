import { mkdirSync, readdirSync, readlinkSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Digest, errnoOf, HavreError, isDigest } from "../base/mod.ts";

const KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$/;
const PARENT = "parent";
const NO_PARENT = "-";

export interface WritableLayer {
  readonly key: string;
  readonly parent: Digest | undefined;
}

/**
 * The writable layers: `<folder>/<key>/{upper,work,merged,parent}`. What a layer stands on is the target of the link
 * `parent`: written by one system call, never half.
 */
export class WritableLayers {
  readonly folder: string;
  readonly #layers = new Map<string, WritableLayer>();

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const key of readdirSync(folder)) {
      const layer = readLayer(folder, key);
      if (layer) this.#layers.set(key, layer);
    }
  }

  /** `not-found`. */
  get(key: string): WritableLayer {
    const layer = this.#layers.get(key);
    if (layer) return layer;
    throw new HavreError("not-found", `Writable layer ${key} is not here`);
  }

  has(key: string): boolean {
    return this.#layers.has(key);
  }

  list(): WritableLayer[] {
    return [...this.#layers.values()];
  }

  broken(): string[] {
    return readdirSync(this.folder).filter((key) => !this.#layers.has(key));
  }

  path(key: string, part: "upper" | "work" | "merged"): string {
    return join(this.folder, key, part);
  }

  /** Refuses a key that cannot be a folder's name (`invalid-argument`) or is taken (`already-exists`). */
  check(key: string): void {
    if (!KEY.test(key)) throw new HavreError("invalid-argument", `${JSON.stringify(key)} cannot name a writable layer`);
    if (this.#layers.has(key)) throw new HavreError("already-exists", `Writable layer ${key} is here already`);
  }

  /** Fills the new folder `staged` and puts it in its place. `dress` gives the top folder its attributes. */
  create(staged: string, layer: WritableLayer, dress: (upper: string) => void): void {
    mkdirSync(staged, { mode: 0o700 });
    const upper = join(staged, "upper");
    mkdirSync(upper, { mode: 0o755 });
    mkdirSync(join(staged, "work"), { mode: 0o700 });
    mkdirSync(join(staged, "merged"), { mode: 0o700 });
    symlinkSync(layer.parent ?? NO_PARENT, join(staged, PARENT));
    dress(upper);
    renameSync(staged, join(this.folder, layer.key));
    this.#layers.set(layer.key, layer);
  }

  drop(key: string): void {
    this.#layers.delete(key);
  }
}

function readLayer(folder: string, key: string): WritableLayer | undefined {
  let parent: string;
  try {
    parent = readlinkSync(join(folder, key, PARENT));
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "EINVAL" || code === "ENOTDIR") return undefined;
    throw error;
  }
  if (parent === NO_PARENT) return { key, parent: undefined };
  return isDigest(parent) ? { key, parent } : undefined;
}
