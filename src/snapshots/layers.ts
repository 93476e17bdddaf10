import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, HavreError, isDigest } from "../base/mod.ts";
import { mountInfo, unmount } from "../kernel/mod.ts";
import { mountIndexed } from "./erofs/mount.ts";
import { damageOf, type Seal, sealHolds, sealOf } from "./layer-seal.ts";
import type { LayerCheck, Usage } from "./snapshots.ts";
import { UnpackedSeals } from "./unpacked-seals.ts";
import type { Runner } from "./work/runner.ts";

/** What is kept beside a layer's tree. */
export interface LayerRecord {
  readonly chainId: Digest;
  readonly diffId: Digest;
  readonly parent: Digest | undefined;
  /** Bytes of file content. */
  readonly size: number;
  readonly usage: Usage;
  /** Nothing of the layers below shows through. */
  readonly opaque: boolean;
  /** Kept as tar and index, mounted where it is wanted; absent: unpacked. */
  readonly indexed?: true;
  /** Of an indexed layer; absent: made before there were seals, and not used since. */
  readonly seal?: Seal;
  /** Of an unpacked layer: its tree as it was made (`UnpackedSeals`). Absent: made before there were marks. */
  readonly mark?: Digest;
  /** Of an unpacked layer: what is in its tree; taken in the background, soon after it is made. */
  readonly treeDigest?: Digest;
  /**
   * Not known to be on disk yet: written since the machine was started under this boot id. After a power cut such a layer
   * is not trusted but made again from its blob.
   */
  readonly unsynced?: string;
}

interface Layer extends LayerRecord {
  readonly number: number;
}

const RECORD = "layer.json";
const TREE = "fs";

/**
 * The committed layers: `<folder>/<number>/{fs,layer.json}`, with tar and index those that are mounted on `fs`. Numbers,
 * because overlayfs takes the paths of a whole stack in one page of memory. A folder is renamed in whole; one that cannot
 * be read is not a layer.
 */
export class Layers {
  readonly folder: string;
  readonly #bootId: string;
  readonly #layers = new Map<Digest, Layer>();
  /** Numbers of indexed layers whose tree is mounted, by this daemon or the one before. */
  readonly #shown: Set<number>;
  readonly #unpacked: UnpackedSeals;
  #next = 1;

  constructor(folder: string, bootId: string, runners: { readonly here: Runner; readonly worker: Runner }) {
    this.folder = folder;
    this.#bootId = bootId;
    this.#unpacked = new UnpackedSeals(runners);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) {
      const record = readRecord(join(folder, name));
      const trusted = record && (record.unsynced === undefined || record.unsynced === bootId);
      if (trusted && /^\d+$/.test(name)) this.#layers.set(record.chainId, { ...record, number: Number(name) });
      this.#next = Math.max(this.#next, Number.parseInt(name, 10) + 1 || 0);
    }
    this.#shown = new Set(mountedIn(folder));
  }

  has(chainId: Digest): boolean {
    return this.#layers.has(chainId);
  }

  /** `not-found`. */
  get(chainId: Digest): LayerRecord {
    return this.#layer(chainId);
  }

  list(): Digest[] {
    return [...this.#layers.keys()];
  }

  /** Folders that are no layer, or stand on one that is gone. */
  broken(): string[] {
    const good = new Set<string>();
    for (const layer of this.#layers.values()) {
      if (this.#complete(layer)) good.add(String(layer.number));
      else this.#layers.delete(layer.chainId);
    }
    return readdirSync(this.folder).filter((name) => !good.has(name));
  }

  /** Makes a finished folder with its `fs` a layer, not yet known to be on disk. */
  commit(folder: string, finished: LayerRecord): void {
    const record = { ...finished, unsynced: this.#bootId };
    writeFileSync(join(folder, RECORD), JSON.stringify(record), { mode: 0o600 });
    const number = this.#next++;
    renameSync(folder, join(this.folder, String(number)));
    this.#layers.set(record.chainId, { ...record, number });
  }

  unsynced(): Digest[] {
    return this.list().filter((chainId) => this.#layers.get(chainId)?.unsynced !== undefined);
  }

  /** After everything it has was written to disk. Free of effect when it is gone meanwhile. */
  markSynced(chainId: Digest): void {
    const layer = this.#layers.get(chainId);
    if (!layer) return;
    const { unsynced: _, ...record } = layer;
    this.#write(record);
  }

  /** Of a finished tree that becomes a layer. */
  markOf(tree: string, inodes: number): Promise<Digest> {
    return this.#unpacked.mark(tree, inodes);
  }

  /** Unpacked layers whose trees were not read yet. */
  undigested(): Digest[] {
    return this.list().filter((chainId) => {
      const { indexed, treeDigest } = this.#layer(chainId);
      return !indexed && treeDigest === undefined;
    });
  }

  /** Reads an unpacked layer's tree, so that later changes can be told from a copy. `data-loss`: it was changed since it was made. */
  async digestTree(chainId: Digest): Promise<void> {
    const { number, mark } = this.#layer(chainId);
    const seal = await this.#unpacked.read(this.#tree(number));
    if (mark !== undefined && seal.mark !== mark) throw damaged(chainId, "its files were changed");
    const now = this.#layers.get(chainId);
    if (now) this.#write({ ...now, mark: seal.mark, treeDigest: seal.digest });
  }

  /**
   * Vouches for a layer and those it stands on: those whose files were touched are digested again. `data-loss` names the
   * one that is not what it was made as.
   */
  async vouch(chainId: Digest | undefined): Promise<void> {
    for (const { chainId: id, indexed } of this.ancestry(chainId)) {
      const { number, seal, mark, usage } = this.#layer(id);
      if (!indexed) {
        if (mark === undefined || (await this.#unpacked.holds(this.#tree(number), mark, usage.inodes))) continue;
        if ((await this.check(id)) === "unpacked") throw damaged(id, "its files were changed");
        continue;
      }
      if (seal && sealHolds(this.#folderOf(id), seal)) continue;
      await this.check(id);
      if (this.#layers.get(id)?.seal === undefined) throw damaged(id, "it cannot be told whether it is whole");
    }
  }

  /** Digests the whole layer and seals it; `data-loss` when it is not what it was made as. */
  async check(chainId: Digest, signal?: AbortSignal): Promise<LayerCheck> {
    const { number, diffId, indexed, seal, treeDigest } = this.#layer(chainId);
    if (!indexed) {
      if (treeDigest === undefined) return "unpacked";
      const found = await this.#unpacked.read(this.#tree(number), signal);
      if (found.digest !== treeDigest) throw damaged(chainId, "its files were changed");
      const now = this.#layers.get(chainId);
      if (now) this.#write({ ...now, mark: found.mark });
      return "whole";
    }
    const folder = this.#folderOf(chainId);
    // Sealed as it was before the reading: what is written meanwhile breaks the seal.
    const fresh = await sealOf(folder).catch(() => undefined);
    const damage = await damageOf(folder, diffId, seal, signal);
    if (damage !== undefined) throw damaged(chainId, damage);
    const now = this.#layers.get(chainId);
    if (now && fresh) this.#write({ ...now, seal: fresh });
    return "whole";
  }

  #write(layer: Layer): void {
    const { number, ...record } = layer;
    const path = join(this.folder, String(number), RECORD);
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
    this.#layers.set(layer.chainId, layer);
  }

  #tree(number: number): string {
    return join(this.folder, String(number), TREE);
  }

  #folderOf(chainId: Digest): string {
    return join(this.folder, String(this.#layer(chainId).number));
  }

  /** Forgets a layer; returns the name of its folder for the caller to remove. */
  drop(chainId: Digest): string {
    const { number } = this.#layer(chainId);
    this.#hide(number);
    this.#layers.delete(chainId);
    return String(number);
  }

  /** A layer and those it stands on, the highest first. */
  ancestry(chainId: Digest | undefined): LayerRecord[] {
    const chain: LayerRecord[] = [];
    for (let id = chainId; id !== undefined; ) {
      const layer: Layer = this.#layer(id);
      chain.push(layer);
      id = layer.parent;
    }
    return chain;
  }

  /** The trees to lay over each other, the highest first. */
  trees(chainId: Digest | undefined): string[] {
    const trees: string[] = [];
    for (const { chainId: id, opaque, indexed } of this.ancestry(chainId)) {
      const { number } = this.#layer(id);
      if (indexed) this.#show(number);
      trees.push(this.#tree(number));
      if (opaque) break;
    }
    return trees;
  }

  /** Takes the trees of indexed layers out of the host's tree; overlays that stand on them keep them. */
  hide(): void {
    for (const number of [...this.#shown]) this.#hide(number);
  }

  #show(number: number): void {
    if (this.#shown.has(number)) return;
    mountIndexed(join(this.folder, String(number)), this.#tree(number));
    this.#shown.add(number);
  }

  #hide(number: number): void {
    if (this.#shown.delete(number)) unmount(this.#tree(number), { detach: true });
  }

  #layer(chainId: Digest): Layer {
    const layer = this.#layers.get(chainId);
    if (layer) return layer;
    throw new HavreError("not-found", `Layer ${chainId} is not here`, { hint: "Pull or load its image again" });
  }

  #complete(layer: Layer): boolean {
    for (let parent = layer.parent; parent !== undefined; ) {
      const below = this.#layers.get(parent);
      if (!below) return false;
      parent = below.parent;
    }
    return true;
  }
}

function damaged(chainId: Digest, why: string): HavreError {
  return new HavreError("data-loss", `Layer ${chainId} is damaged: ${why}`, {
    hint: "Remove its images and what runs from them, then pull or load them again",
  });
}

function mountedIn(folder: string): number[] {
  const prefix = `${folder}/`;
  return mountInfo().flatMap(({ mountPoint, type }) => {
    if (type !== "erofs" || !mountPoint.startsWith(prefix)) return [];
    const number = /^(\d+)\/fs$/.exec(mountPoint.slice(prefix.length))?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** undefined when it is missing or damaged, after a power cut say: the layer is made again from its blob. */
function readRecord(folder: string): LayerRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(join(folder, RECORD), "utf8"));
  } catch {
    return undefined;
  }
  const record = value as Partial<LayerRecord> | null;
  const whole =
    typeof record?.chainId === "string" &&
    isDigest(record.chainId) &&
    typeof record.diffId === "string" &&
    isDigest(record.diffId) &&
    typeof record.size === "number" &&
    typeof record.usage?.size === "number" &&
    (record.parent === undefined || isDigest(record.parent));
  return whole ? (record as LayerRecord) : undefined;
}
