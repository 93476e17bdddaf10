import { HavreError } from "../base/mod.ts";
import type { Kind, StoredObject } from "./store.ts";

/** The objects of one kind in memory with their indexes. */
export class Table {
  readonly #objects = new Map<string, StoredObject>();
  readonly #indexes = new Map<string, Map<string, Set<string>>>();
  readonly #kind: Kind<StoredObject>;

  constructor(kind: Kind<StoredObject>) {
    this.#kind = kind;
    for (const name of Object.keys(kind.indexes)) this.#indexes.set(name, new Map());
  }

  get(id: string): StoredObject | undefined {
    return this.#objects.get(id);
  }

  list(): StoredObject[] {
    return [...this.#objects.values()];
  }

  find(index: string, value: string): StoredObject[] {
    const values = this.#indexes.get(index);
    if (!values) throw new HavreError("internal", `Kind ${this.#kind.name} has no index ${index}`);
    const found: StoredObject[] = [];
    for (const id of values.get(value) ?? []) {
      const object = this.#objects.get(id);
      if (object) found.push(object);
    }
    return found;
  }

  /** Replaces the object with `id` by `next` (undefined: removes it) and returns what was there. */
  set(id: string, next: StoredObject | undefined): StoredObject | undefined {
    const before = this.#objects.get(id);
    if (next) this.#refuseDuplicates(next);
    if (before) this.#index(before, (ids) => ids.delete(id));
    if (next) {
      this.#index(next, (ids) => ids.add(id));
      this.#objects.set(id, next);
    } else {
      this.#objects.delete(id);
    }
    return before;
  }

  #refuseDuplicates(object: StoredObject): void {
    for (const [name, index] of Object.entries(this.#kind.indexes)) {
      if (!index.unique) continue;
      for (const value of index.values(object)) {
        const holder = this.find(name, value).find((other) => other.id !== object.id);
        if (holder) {
          throw new HavreError("already-exists", `${this.#kind.name} ${name} ${value} is in use by ${holder.id}`);
        }
      }
    }
  }

  #index(object: StoredObject, change: (ids: Set<string>) => void): void {
    for (const [name, index] of Object.entries(this.#kind.indexes)) {
      const values = this.#indexes.get(name);
      if (!values) continue;
      for (const value of index.values(object)) {
        let ids = values.get(value);
        if (!ids) {
          ids = new Set();
          values.set(value, ids);
        }
        change(ids);
        if (ids.size === 0) values.delete(value);
      }
    }
  }
}
