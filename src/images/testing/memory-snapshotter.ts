import { createReadStream } from "node:fs";
import { type Digest, Digester, digestOf, HavreError } from "../../base/mod.ts";
import {
  type AppliedLayer,
  type FileChange,
  type LayerCheck,
  type LayerSource,
  type Mount,
  readTar,
  type Snapshotter,
  type Usage,
} from "../../snapshots/mod.ts";

interface Layer {
  readonly parent: Digest | undefined;
  readonly size: number;
}

/**
 * A snapshotter that reads and checks tars but keeps no trees: what tests of names, archives and collection need, without
 * root. Writable layers hold the tar that `diff` answers with.
 */
export class MemorySnapshotter implements Snapshotter {
  readonly #layers = new Map<Digest, Layer>();
  readonly #holds = new Set<Set<Digest>>();
  readonly #writable = new Map<string, { readonly parent: Digest | undefined; tar: Uint8Array }>();

  has(chainId: Digest): boolean {
    if (!this.#layers.has(chainId)) return false;
    for (const held of this.#holds) held.add(chainId);
    return true;
  }

  async apply(
    parent: Digest | undefined,
    tar: LayerSource,
    diffId?: Digest,
    signal?: AbortSignal,
  ): Promise<AppliedLayer> {
    if (parent !== undefined && !this.#layers.has(parent))
      throw new HavreError("not-found", `No such layer: ${parent}`);
    const digester = new Digester();
    const source = "file" in tar ? createReadStream(tar.file) : tar;
    let size = 0;
    for await (const { header } of readTar(digested(source, digester))) {
      signal?.throwIfAborted();
      size += header.size;
    }
    const actual = digester.digest();
    if (diffId !== undefined && actual !== diffId) {
      throw new HavreError("data-loss", `The layer is ${actual}, not ${diffId}`);
    }
    const chainId = parent === undefined ? actual : digestOf(`${parent} ${actual}`);
    this.#layers.set(chainId, { parent, size });
    for (const held of this.#holds) held.add(chainId);
    return { diffId: actual, chainId, size };
  }

  async check(): Promise<LayerCheck> {
    return "unpacked";
  }

  async prepare(key: string, parent: Digest | undefined): Promise<void> {
    this.#writable.set(key, { parent, tar: new Uint8Array(1024) });
  }

  /** What the writable layer `key` has become. */
  write(key: string, tar: Uint8Array): void {
    const layer = this.#writable.get(key);
    if (layer) layer.tar = tar;
  }

  async *diff(key: string): AsyncGenerator<Uint8Array> {
    const layer = this.#writable.get(key);
    if (!layer) throw new HavreError("not-found", `No such writable layer: ${key}`);
    yield layer.tar;
  }

  async commit(key: string, diffId: Digest): Promise<AppliedLayer> {
    const parent = this.#writable.get(key)?.parent;
    const applied = await this.apply(parent, this.diff(key), diffId);
    this.#writable.delete(key);
    return applied;
  }

  layerUsage(chainId: Digest): Usage {
    const layer = this.#layers.get(chainId);
    if (!layer) throw new HavreError("not-found", `No such layer: ${chainId}`);
    return { size: layer.size, content: layer.size, inodes: 1 };
  }

  async remove(key: string): Promise<void> {
    this.#writable.delete(key);
  }

  keys(): readonly string[] {
    return [...this.#writable.keys()];
  }

  standsOn(key: string): readonly Digest[] {
    const chain: Digest[] = [];
    for (let at = this.#writable.get(key)?.parent; at !== undefined; at = this.#layers.get(at)?.parent) chain.push(at);
    return chain;
  }

  layers(): readonly Digest[] {
    return [...this.#layers.keys()];
  }

  hold(): Disposable {
    const held = new Set<Digest>();
    this.#holds.add(held);
    return { [Symbol.dispose]: () => void this.#holds.delete(held) };
  }

  async collect(needed: (chainId: Digest) => boolean): Promise<readonly Digest[]> {
    const kept = new Set<Digest>();
    const keep = (chainId: Digest | undefined) => {
      for (let at = chainId; at !== undefined; at = this.#layers.get(at)?.parent) kept.add(at);
    };
    for (const chainId of this.#layers.keys()) if (needed(chainId)) keep(chainId);
    for (const { parent } of this.#writable.values()) keep(parent);
    for (const held of this.#holds) for (const chainId of held) keep(chainId);
    const removed = this.layers().filter((chainId) => !kept.has(chainId));
    for (const chainId of removed) this.#layers.delete(chainId);
    return removed;
  }

  async recover(): Promise<void> {}

  mounts(key: string): readonly Mount[] {
    throw noTrees(key);
  }
  mount(key: string): Promise<string> {
    throw noTrees(key);
  }
  mountPoint(key: string): string {
    throw noTrees(key);
  }
  unmount(key: string): Promise<void> {
    throw noTrees(key);
  }
  withView<T>(): Promise<T> {
    throw noTrees("a view");
  }
  changes(key: string): AsyncIterable<FileChange> {
    throw noTrees(key);
  }
  usage(key: string): Promise<Usage> {
    throw noTrees(key);
  }
}

function noTrees(key: string): HavreError {
  return new HavreError("not-implemented", `${key}: this snapshotter keeps no trees`);
}

/** To the last byte: what follows an archive's end counts too. */
async function* digested(source: AsyncIterable<Uint8Array>, digester: Digester): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    digester.update(chunk);
    yield chunk;
  }
}
