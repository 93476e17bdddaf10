import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Clock, type IdSource, KeyedMutex } from "../../base/mod.ts";
import { packTree, unpackIntoTree } from "../../snapshots/mod.ts";

/** A cache as a step asks for it. */
export interface CacheRequest {
  readonly id: string;
  readonly sharing: "shared" | "private" | "locked";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The archive that a new folder begins with; undefined: it begins empty. */
export type CacheBeginning = () => Promise<AsyncIterable<Uint8Array> | undefined>;

export interface CacheLease extends Disposable {
  readonly path: string;
}

interface Named {
  readonly id: string;
  readonly createdAt: number;
}

export interface CacheFolder extends Named {
  /** Name of its folder. */
  readonly name: string;
  readonly usedAt: number;
  readonly inUse: boolean;
  readonly path: string;
}

const RECORD = "cache.json";
const DATA = "data";

/**
 * Folders that outlive builds (`RUN --mount=type=cache`): `<folder>/<name>/{data,cache.json}`. One that is in use is never
 * removed. A folder that a killed daemon left half-made has no record and goes at the next start.
 */
export class CacheFolders {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #newId: IdSource;
  readonly #users = new Map<string, number>();
  readonly #locks = new KeyedMutex();
  readonly #making = new KeyedMutex();

  constructor(folder: string, clock: Clock, newId: IdSource) {
    this.#folder = folder;
    this.#clock = clock;
    this.#newId = newId;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** After a start. */
  recover(): void {
    for (const name of readdirSync(this.#folder)) {
      if (!existsSync(join(this.#folder, name, RECORD)))
        rmSync(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /** Gives a cache to a step until the lease is disposed. */
  async take(request: CacheRequest, begins: CacheBeginning, signal: AbortSignal): Promise<CacheLease> {
    if (request.sharing === "locked") return this.#takeLocked(request, begins, signal);
    const name = request.sharing === "shared" ? nameOf(request.id, 0) : this.#firstFree(request.id);
    return this.#lease(await this.#make(name, request, begins, signal));
  }

  list(): readonly CacheFolder[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const folder = join(this.#folder, name);
      if (!existsSync(join(folder, RECORD))) return [];
      const { id, createdAt } = JSON.parse(readFileSync(join(folder, RECORD), "utf8")) as Named;
      const usedAt = statSync(join(folder, RECORD)).mtimeMs;
      return [{ name, id, createdAt, usedAt, inUse: this.#users.has(name), path: join(folder, DATA) }];
    });
  }

  /**
   * A folder as an archive, for another machine, while nobody who locks it has it. undefined: there is none of that id. Who shares it
   * may change it meanwhile.
   */
  async pack<T>(
    id: string,
    use: (archive: AsyncIterable<Uint8Array>) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const name = nameOf(id, 0);
    return this.#locks.run(name, async () => {
      if (!existsSync(join(this.#folder, name, RECORD))) return undefined;
      using lease = this.#lease(name);
      this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
      return await use(packTree(lease.path, "/.", signal));
    });
  }

  /** Free of effect, and false, for one in use. */
  remove(name: string): boolean {
    if (this.#users.has(name)) return false;
    const gone = join(this.#folder, `gone-${this.#newId()}`);
    // Without its record it is nothing: what a kill leaves of the removal goes at the next start.
    rmSync(join(this.#folder, name, RECORD), { force: true });
    renameSync(join(this.#folder, name), gone);
    rmSync(gone, { recursive: true, force: true });
    return true;
  }

  async #takeLocked(request: CacheRequest, begins: CacheBeginning, signal: AbortSignal): Promise<CacheLease> {
    const name = nameOf(request.id, 0);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: mine, resolve: got } = Promise.withResolvers<void>();
    void this.#locks.run(name, async () => {
      got();
      await released;
    });
    const onAbort = () => got();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await mine;
      signal.throwIfAborted();
      const lease = this.#lease(await this.#make(name, request, begins, signal));
      return {
        path: lease.path,
        [Symbol.dispose]: () => {
          lease[Symbol.dispose]();
          release();
        },
      };
    } catch (error) {
      release();
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #firstFree(id: string): string {
    for (let number = 0; ; number++) {
      const name = nameOf(id, number);
      if (!this.#users.has(name)) return name;
    }
  }

  #lease(name: string): CacheLease {
    return {
      path: join(this.#folder, name, DATA),
      [Symbol.dispose]: () => {
        const others = (this.#users.get(name) ?? 0) - 1;
        if (others > 0) this.#users.set(name, others);
        else this.#users.delete(name);
      },
    };
  }

  /** Counts its user first, so that nobody else takes or removes it meanwhile. */
  async #make(name: string, request: CacheRequest, begins: CacheBeginning, signal: AbortSignal): Promise<string> {
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    try {
      await this.#making.run(name, () => this.#makeOnce(name, request, begins, signal));
      return name;
    } catch (error) {
      this.#lease(name)[Symbol.dispose]();
      throw error;
    }
  }

  async #makeOnce(name: string, request: CacheRequest, begins: CacheBeginning, signal: AbortSignal): Promise<void> {
    const folder = join(this.#folder, name);
    const now = this.#clock.now();
    if (existsSync(join(folder, RECORD))) {
      utimesSync(join(folder, RECORD), now / 1000, now / 1000);
      return;
    }
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, DATA), { recursive: true, mode: 0o700 });
    const archive = await begins();
    if (archive) await unpackIntoTree(join(folder, DATA), "/", archive, { noOverwriteDirNonDir: false }, signal);
    else {
      chownSync(join(folder, DATA), request.uid, request.gid);
      chmodSync(join(folder, DATA), request.mode);
    }
    const record: Named = { id: request.id, createdAt: now };
    writeFileSync(join(folder, `${RECORD}.new`), JSON.stringify(record), { mode: 0o600 });
    renameSync(join(folder, `${RECORD}.new`), join(folder, RECORD));
  }
}

/** Ids are anything; `number` tells apart what private users of one id have at the same time. */
function nameOf(id: string, number: number): string {
  const digest = createHash("sha256").update(id).digest("hex").slice(0, 32);
  return number === 0 ? digest : `${digest}.${number}`;
}
