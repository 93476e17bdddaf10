/** What every stored object has. `version` is set by the store and grows with every change of that object. */
export interface StoredObject {
  readonly id: string;
}

/**
 * A kind of object: its name (stable, written to disk) and the values it can be looked up by.
 * A `unique` index refuses a second object with the same value (`already-exists`).
 */
export interface Kind<T extends StoredObject> {
  readonly name: string;
  readonly indexes: Readonly<
    Record<string, { readonly unique: boolean; readonly values: (object: T) => readonly string[] }>
  >;
  /**
   * What brings an object that an earlier Havre wrote to today's form, oldest first: the first makes form 2 of form 1.
   * A step is added when stored objects change so that they would be misread, and never changed or taken away.
   */
  readonly upgrades: readonly Upgrade[];
}

export type Upgrade = (stored: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** Declares a kind; `indexes` and `upgrades` may be left out. */
export function defineKind<T extends StoredObject>(
  name: string,
  indexes: Kind<T>["indexes"] = {},
  upgrades: Kind<T>["upgrades"] = [],
): Kind<T> {
  return { name, indexes, upgrades };
}

/** The form in which this Havre writes objects of the kind. */
export function formOf({ upgrades }: Pick<Kind<StoredObject>, "upgrades">): number {
  return upgrades.length + 1;
}

/** A consistent read of all objects. Objects are immutable: never change one in place. */
export interface ReadTransaction {
  get<T extends StoredObject>(kind: Kind<T>, id: string): T | undefined;
  list<T extends StoredObject>(kind: Kind<T>): readonly T[];
  /** Objects whose `index` has `value`. */
  find<T extends StoredObject>(kind: Kind<T>, index: string, value: string): readonly T[];
  /** Objects whose id starts with `prefix`. */
  findByIdPrefix<T extends StoredObject>(kind: Kind<T>, prefix: string): readonly T[];
}

export interface WriteTransaction extends ReadTransaction {
  /** Creates or replaces. `already-exists` when a unique index has the value already for another object. */
  put<T extends StoredObject>(kind: Kind<T>, object: T): void;
  delete<T extends StoredObject>(kind: Kind<T>, id: string): void;
}

export interface Change<T> {
  /** undefined: created. */
  readonly before: T | undefined;
  /** undefined: deleted. */
  readonly after: T | undefined;
}

export interface UpdateOptions {
  /**
   * false: survives the death of this process at once, that of the machine only after the next `sync` or durable
   * update. For what is observed again after a boot, such as that a process runs. Default true.
   */
  readonly durable?: boolean;
}

/**
 * The object store: durable state of the whole platform. `update` is atomic: all its writes are committed when it
 * returns, or none and it throws. Reads come from memory.
 */
export interface Store {
  view<T>(read: (tx: ReadTransaction) => T): T;
  /** Runs `write`; when it throws nothing has changed. `resource-exhausted` when the disk is full. */
  update<T>(write: (tx: WriteTransaction) => T, options?: UpdateOptions): Promise<T>;
  /** Calls `onChange` after every committed change of an object of `kind`, in order of commit. Dispose to stop. */
  watch<T extends StoredObject>(kind: Kind<T>, onChange: (change: Change<T>) => void): Disposable;
  /** Returns when all that was committed before survives a power cut. */
  sync(): Promise<void>;
  close(): void;
}
