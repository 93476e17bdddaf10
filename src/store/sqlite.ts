import { Database, type Statement } from "bun:sqlite";
import { closeSync, fsync, fsyncSync, openSync } from "node:fs";
import { promisify } from "node:util";
import { HavreError } from "../base/mod.ts";
import { reserveSpace } from "./reserve.ts";
import {
  type Change,
  formOf,
  type Kind,
  type ReadTransaction,
  type Store,
  type StoredObject,
  type UpdateOptions,
  type Upgrade,
  type WriteTransaction,
} from "./store.ts";
import { Table } from "./table.ts";

/** The form of the database itself; a newer one is refused rather than guessed at. Version 1 had no column `form`. */
const SCHEMA_VERSION = 2;

interface Row {
  readonly kind: string;
  readonly id: string;
  readonly body: string;
  /** Which of its kind's forms the body has. */
  readonly form: number;
}

interface Undo {
  readonly table: Table;
  readonly id: string;
  readonly before: StoredObject | undefined;
}

interface Written {
  readonly kind: string;
  readonly change: Change<StoredObject>;
}

/**
 * The store of one machine: objects in memory, each change written through to SQLite (write-ahead log) and synced before `update` returns. One process at a time: a second one is refused with `conflict`.
 */
export class SqliteStore implements Store {
  readonly #database: Database;
  readonly #logFd: number;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;
  readonly #put: Statement;
  readonly #delete: Statement;
  readonly #tables = new Map<string, Table>();
  readonly #pending = new Map<string, Row[]>();
  readonly #watchers = new Map<string, Set<(change: Change<StoredObject>) => void>>();
  #updating = false;

  /** Opens or creates the database file. `data-loss` when it is damaged, `conflict` when another daemon holds it. */
  constructor(path: string) {
    try {
      this.#database = new Database(path, { create: true, strict: true });
      this.#database.run("PRAGMA locking_mode = EXCLUSIVE");
      this.#database.run("PRAGMA journal_mode = WAL");
      // Commits are whole or absent after a power cut; `sync` makes sure that they are there.
      this.#database.run("PRAGMA synchronous = NORMAL");
      this.#database.run(
        "CREATE TABLE IF NOT EXISTS objects (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID",
      );
      this.#upgradeSchema();
      reserveSpace(this.#database, path);
      this.#logFd = openSync(`${path}-wal`, "r");
      this.#put = this.#database.query("INSERT OR REPLACE INTO objects (kind, id, body, form) VALUES (?1, ?2, ?3, ?4)");
      this.#delete = this.#database.query("DELETE FROM objects WHERE kind = ?1 AND id = ?2");
      for (const row of this.#database.query<Row, []>("SELECT kind, id, body, form FROM objects").all()) {
        const rows = this.#pending.get(row.kind);
        if (rows) rows.push(row);
        else this.#pending.set(row.kind, [row]);
      }
    } catch (error) {
      throw openFailure(path, error);
    }
  }

  view<T>(read: (tx: ReadTransaction) => T): T {
    return read(this.#reader());
  }

  // Runs synchronously up to the commit; a promise so that a distributed store can stand behind the same interface.
  async update<T>(write: (tx: WriteTransaction) => T, { durable = true }: UpdateOptions = {}): Promise<T> {
    if (this.#updating) throw new HavreError("internal", "Store updates cannot be nested");
    const undo: Undo[] = [];
    const written: Written[] = [];
    let result: T;
    this.#updating = true;
    try {
      this.#database.run("BEGIN IMMEDIATE");
      result = write(this.#writer(undo, written));
      this.#database.run("COMMIT");
    } catch (error) {
      for (const { table, id, before } of undo.reverse()) table.set(id, before);
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
      throw writeFailure(error);
    } finally {
      this.#updating = false;
    }
    for (const { kind, change } of written) {
      for (const onChange of this.#watchers.get(kind) ?? []) onChange(change);
    }
    if (durable) await this.sync();
    return result;
  }

  /** The log's file is synced beside SQLite, in the background: one sync serves all who came before it began. */
  sync(): Promise<void> {
    if (!this.#syncing) return this.#beginSync();
    const afterwards = () => {
      this.#nextSync = undefined;
      return this.#beginSync();
    };
    this.#nextSync ??= this.#syncing.then(afterwards, afterwards);
    return this.#nextSync;
  }

  watch<T extends StoredObject>(kind: Kind<T>, onChange: (change: Change<T>) => void): Disposable {
    const listener = onChange as (change: Change<StoredObject>) => void;
    let listeners = this.#watchers.get(kind.name);
    if (!listeners) {
      listeners = new Set();
      this.#watchers.set(kind.name, listeners);
    }
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  close(): void {
    fsyncSync(this.#logFd);
    closeSync(this.#logFd);
    this.#database.close();
  }

  #beginSync(): Promise<void> {
    const syncing = syncFile(this.#logFd).finally(() => {
      this.#syncing = undefined;
    });
    this.#syncing = syncing;
    return syncing;
  }

  #upgradeSchema(): void {
    const version = this.#database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
    if (version > SCHEMA_VERSION) throw this.#newer(`format ${version}, this one knows ${SCHEMA_VERSION}`);
    if (version === SCHEMA_VERSION) return;
    this.#database.transaction(() => {
      this.#database.run("ALTER TABLE objects ADD COLUMN form INTEGER NOT NULL DEFAULT 1");
      this.#database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    })();
  }

  /** Kinds are known to the store only from their first use: rows wait as text until then. */
  #table<T extends StoredObject>(kind: Kind<T>): Table {
    let table = this.#tables.get(kind.name);
    if (!table) {
      table = new Table(kind as unknown as Kind<StoredObject>);
      for (const row of this.#pending.get(kind.name) ?? []) table.set(row.id, this.#read(row, kind.upgrades));
      // Only now: a kind that could not be read is not an empty one.
      this.#tables.set(kind.name, table);
      this.#pending.delete(kind.name);
    }
    return table;
  }

  /** An object in today's form; on disk it takes that form with its next change. */
  #read({ kind, body, form }: Row, upgrades: readonly Upgrade[]): StoredObject {
    const known = formOf({ upgrades });
    if (form > known) throw this.#newer(`objects of kind ${kind} in form ${form}, this one knows ${known}`);
    const stored = JSON.parse(body) as Readonly<Record<string, unknown>>;
    return upgrades.slice(form - 1).reduce((object, upgrade) => upgrade(object), stored) as unknown as StoredObject;
  }

  #newer(what: string): HavreError {
    return new HavreError("failed-precondition", `${this.#database.filename} was written by a newer Havre (${what})`, {
      hint: "Start the newer Havre, or use another --root",
    });
  }

  #reader(): ReadTransaction {
    return {
      get: <T extends StoredObject>(kind: Kind<T>, id: string) => this.#table(kind).get(id) as T | undefined,
      list: <T extends StoredObject>(kind: Kind<T>) => this.#table(kind).list() as unknown as T[],
      find: <T extends StoredObject>(kind: Kind<T>, index: string, value: string) =>
        this.#table(kind).find(index, value) as unknown as T[],
      findByIdPrefix: <T extends StoredObject>(kind: Kind<T>, prefix: string) =>
        this.#table(kind)
          .list()
          .filter((object) => object.id.startsWith(prefix)) as unknown as T[],
    };
  }

  #writer(undo: Undo[], written: Written[]): WriteTransaction {
    const set = <T extends StoredObject>(kind: Kind<T>, id: string, after: T | undefined): void => {
      const table = this.#table(kind);
      const before = table.set(id, after);
      undo.push({ table, id, before });
      if (before || after) written.push({ kind: kind.name, change: { before, after } });
    };
    return {
      ...this.#reader(),
      put: (kind, object) => {
        set(kind, object.id, object);
        this.#put.run(kind.name, object.id, JSON.stringify(object), formOf(kind));
      },
      delete: (kind, id) => {
        set(kind, id, undefined);
        this.#delete.run(kind.name, id);
      },
    };
  }
}

const syncFile: (fd: number) => Promise<void> = promisify(fsync);

function sqliteCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function openFailure(path: string, error: unknown): unknown {
  const code = sqliteCode(error);
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new HavreError("conflict", `${path} is in use by another daemon`, {
      cause: error,
      hint: "Stop the other daemon, or give this one its own --root and --run",
    });
  }
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB") {
    return new HavreError("data-loss", `${path} is damaged`, { cause: error, hint: "Restore it from a backup" });
  }
  return error;
}

function writeFailure(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === "SQLITE_FULL" || code.startsWith("SQLITE_IOERR")) {
    return new HavreError("resource-exhausted", "The state could not be written: the disk is full or failing", {
      cause: error,
      hint: "Free space in the root folder and try again",
    });
  }
  if (code.startsWith("SQLITE_READONLY")) {
    return new HavreError("unavailable", "The state could not be written: the disk is read-only", { cause: error });
  }
  return error;
}
