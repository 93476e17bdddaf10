import {
  type FSWatcher,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/mod.ts";
import type { Exit, ProcessIdentity } from "./runtime.ts";

/**
 * Exit codes as supervisors leave them: one file per container, named by its id, holding the code. The file does not say
 * which run it ends: that is the one on record, whose file is removed before the next begins.
 */
export class ExitRecords implements Disposable {
  readonly #folder: string;
  /** The init process of the container's run on record. */
  readonly #initOf: (id: string) => ProcessIdentity | undefined;
  readonly #listeners = new Set<(exit: Exit) => void>();
  readonly #reported = new Set<string>();
  #watcher: FSWatcher | undefined;
  #reporting = false;

  constructor(folder: string, initOf: (id: string) => ProcessIdentity | undefined) {
    this.#folder = folder;
    this.#initOf = initOf;
  }

  /** Starts watching. Nothing is reported before the first `rescan`, so that whoever must hear it can subscribe first. */
  open(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#watcher?.close();
    const watcher = watch(this.#folder, { persistent: false }, (_event, name) => {
      if (typeof name === "string") this.check(name);
      else if (this.#reporting) this.rescan();
    });
    watcher.on("error", () => {
      this.open();
      if (this.#reporting) this.rescan();
    });
    this.#watcher = watcher;
  }

  onExit(listener: (exit: Exit) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Undefined too while the run that ended is not on record: its creation is not finished. */
  read(id: string): Exit | undefined {
    const init = this.#initOf(id);
    const recorded = this.#file(id);
    return init && recorded && { id, init, ...recorded };
  }

  /** Whether there is an exit, of whatever run. */
  isRecorded(id: string): boolean {
    return this.#file(id) !== undefined;
  }

  #file(id: string): Pick<Exit, "code" | "at"> | undefined {
    try {
      const path = join(this.#folder, id);
      const at = statSync(path).mtimeMs;
      const text = readFileSync(path, "utf8");
      return text === "" ? undefined : { code: Number.parseInt(text, 10), at };
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Writes an exit in the place of a supervisor that could not, and reports it. */
  record(id: string, code: number): void {
    const path = join(this.#folder, id);
    writeFileSync(`${path}.new`, String(code), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    this.check(id);
  }

  /** Reports the exit of `id` if it is recorded, and the run that it ends too, and it was not reported. */
  check(id: string): void {
    // The supervisor writes `ID.XXXXXX` first and renames it.
    if (!this.#reporting || id.includes(".") || this.#reported.has(id)) return;
    const exit = this.read(id);
    if (exit === undefined) return;
    this.#reported.add(id);
    for (const listener of this.#listeners) listener(exit);
  }

  /** Reports every exit that is recorded and was not reported. */
  rescan(): void {
    this.#reporting = true;
    for (const name of readdirSync(this.#folder)) this.check(name);
  }

  forget(id: string): void {
    rmSync(join(this.#folder, id), { force: true });
    this.#reported.delete(id);
  }

  path(): string {
    return this.#folder;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#listeners.clear();
  }
}
