import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errnoOf, HavreError, type Logger } from "../../base/mod.ts";
import {
  cloneFile,
  exchangePaths,
  isOnBtrfs,
  isSubvolume,
  makeSubvolume,
  mountInfo,
  snapshotSubvolume,
  unmount,
} from "../../kernel/mod.ts";
import type { Trees } from "../../snapshots/mod.ts";
import type { DriverVolume, Scope, VolumeDriver } from "../driver.ts";
import { mountDevice } from "./device-mount.ts";
import { checkLocalName, parseLocalOptions } from "./options.ts";

const DATA = "_data";
/** Beginning with a dot: no volume can have such a name. */
const STAGED = ".staged";

export interface LocalDriverOptions {
  /** `<root>/volumes`. */
  readonly folder: string;
  readonly trees: Trees;
  readonly log: Logger;
  /** Of a volume on record. */
  readonly optionsOf: (name: string) => Readonly<Record<string, string>>;
}

/** Volumes as folders of this host, `NAME/_data`, at which a device may be mounted while somebody uses the volume. */
export class LocalDriver implements VolumeDriver {
  readonly name = "local";
  readonly #folder: string;
  readonly #trees: Trees;
  readonly #log: Logger;
  readonly #optionsOf: LocalDriverOptions["optionsOf"];
  readonly #holders = new Map<string, Set<string>>();
  readonly #subvolumes: boolean;
  #stagedCount = 0;
  #shares: boolean | undefined;

  constructor({ folder, trees, log, optionsOf }: LocalDriverOptions) {
    this.#folder = folder;
    this.#trees = trees;
    this.#log = log;
    this.#optionsOf = optionsOf;
    mkdirSync(folder, { recursive: true, mode: 0o701 });
    this.#subvolumes = isOnBtrfs(folder);
  }

  async scope(): Promise<Scope> {
    return "local";
  }

  path(name: string): string {
    return join(this.#folder, name, DATA);
  }

  async create(name: string, options: Readonly<Record<string, string>>): Promise<void> {
    checkLocalName(name);
    parseLocalOptions(options);
    mkdirSync(join(this.#folder, name), { recursive: true, mode: 0o701 });
    if (!existsSync(this.path(name))) this.#makeFolder(this.path(name));
  }

  async remove(name: string): Promise<void> {
    this.#unmountDevice(name);
    this.#holders.delete(name);
    this.#trees.discard(join(this.#folder, name));
  }

  async mount(name: string, holder: string): Promise<string> {
    const path = this.path(name);
    const wanted = parseLocalOptions(this.#optionsOf(name));
    if (wanted && !this.#isMounted(path)) {
      try {
        await mountDevice(wanted, path);
      } catch (error) {
        if (!(error instanceof HavreError)) throw error;
        const hint = error.hint === undefined ? {} : { hint: error.hint };
        const message = `error while mounting volume '${path}': ${error.message}`;
        throw new HavreError(error.kind, message, { cause: error, ...hint });
      }
    }
    const holders = this.#holders.get(name) ?? new Set();
    this.#holders.set(name, holders.add(holder));
    return path;
  }

  async unmount(name: string, holder: string): Promise<void> {
    const holders = this.#holders.get(name);
    holders?.delete(holder);
    if (holders !== undefined && holders.size > 0) return;
    this.#holders.delete(name);
    this.#unmountDevice(name);
  }

  async get(name: string): Promise<DriverVolume | undefined> {
    const path = this.path(name);
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isDirectory() ? { name, path, created: stat.ctimeMs } : undefined;
  }

  async list(): Promise<readonly DriverVolume[]> {
    const names = readdirSync(this.#folder).filter((name) => !name.startsWith("."));
    const found = await Promise.all(names.map((name) => this.get(name)));
    return found.filter((volume) => volume !== undefined);
  }

  /** True when nobody has the folder itself open by a mount, so that another may take its place. */
  isFree(name: string): boolean {
    return (this.#holders.get(name)?.size ?? 0) === 0 && parseLocalOptions(this.#optionsOf(name)) === undefined;
  }

  /** A new empty folder beside the volumes, to be filled and then put in a volume's place. */
  stage(): string {
    const folder = join(this.#folder, STAGED);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${process.pid}-${this.#stagedCount++}`);
    this.#makeFolder(path);
    return path;
  }

  /**
   * Makes a staged folder a snapshot of a volume's, in one step however much is in it. False where that cannot be:
   * elsewhere than on btrfs, and for volumes that are not of this driver's making.
   */
  snapshot(path: string, staged: string): boolean {
    if (!isSubvolume(staged) || !isSubvolume(path)) return false;
    rmdirSync(staged);
    try {
      snapshotSubvolume(path, staged);
      return true;
    } catch (error) {
      this.#makeFolder(staged);
      if (errnoOf(error) === "EXDEV") return false;
      throw error;
    }
  }

  /** What a volume's files are in. On btrfs a subvolume: a snapshot of it costs nothing. */
  #makeFolder(path: string): void {
    if (this.#subvolumes) {
      makeSubvolume(path);
      chmodSync(path, 0o755);
    } else mkdirSync(path, { mode: 0o755 });
  }

  discard(staged: string): void {
    this.#trees.discard(staged);
  }

  /** Puts a staged folder in the place of a volume's empty one, in one step: a volume is filled whole or not at all. */
  fill(name: string, staged: string): void {
    // A subvolume is not replaced by rename(2), empty or not.
    if (isSubvolume(this.path(name))) this.replace(name, staged);
    else renameSync(staged, this.path(name));
  }

  /** Puts a staged folder in the place of a volume's, in one step; what was there goes. */
  replace(name: string, staged: string): void {
    exchangePaths(staged, this.path(name));
    this.#trees.discard(staged);
  }

  /** Whether files of the volumes' file system can share their content, so that copies cost nothing. Found out once. */
  sharesContent(): boolean {
    this.#shares ??= this.#tryShare();
    return this.#shares;
  }

  #tryShare(): boolean {
    const folder = this.stage();
    try {
      const [one, other] = [join(folder, "one"), join(folder, "other")];
      writeFileSync(one, "shared?");
      const source = openSync(one, "r");
      const target = openSync(other, "wx");
      try {
        return cloneFile(source, target);
      } finally {
        closeSync(source);
        closeSync(target);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** After a start: undoes what was half-made and unmounts what nobody holds. */
  recover(held: ReadonlyMap<string, readonly string[]>): void {
    for (const [name, holders] of held) this.#holders.set(name, new Set(holders));
    const inside = `${this.#folder}/`;
    for (const { mountPoint } of mountInfo().reverse()) {
      if (!mountPoint.startsWith(inside)) continue;
      const name = mountPoint.slice(inside.length).split("/")[0] ?? "";
      if (!this.#holders.has(name)) unmount(mountPoint, { detach: true });
    }
    rmSync(join(this.#folder, STAGED), { recursive: true, force: true });
  }

  /** Deletes the folder of a volume that was never recorded, if nothing is in it. False: there is something. */
  forgetEmpty(name: string): boolean {
    try {
      if (existsSync(this.path(name))) rmdirSync(this.path(name));
      rmdirSync(join(this.#folder, name));
      return true;
    } catch (error) {
      if (errnoOf(error) === "ENOTEMPTY" || errnoOf(error) === "EBUSY" || errnoOf(error) === "ENOTDIR") return false;
      throw error;
    }
  }

  #isMounted(path: string): boolean {
    return mountInfo().some(({ mountPoint }) => mountPoint === path);
  }

  #unmountDevice(name: string): void {
    const path = this.path(name);
    // Several may lie on each other: somebody mounted by hand.
    while (this.#mayBeMounted(name) && this.#isMounted(path)) {
      try {
        unmount(path);
      } catch (error) {
        if (errnoOf(error) !== "EBUSY") throw error;
        this.#log.warn("a volume's device is still in use and goes when its last user ends", { volume: name });
        unmount(path, { detach: true });
      }
    }
  }

  #mayBeMounted(name: string): boolean {
    return Object.keys(this.#optionsOf(name)).length > 0;
  }
}
