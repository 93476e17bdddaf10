/** Stores that another Havre wrote: an older one's are read in today's form, a newer one's are refused. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineKind, SqliteStore } from "./mod.ts";

interface Ship {
  readonly id: string;
  readonly names: readonly string[];
  readonly flag: string;
}
const byName = { name: { unique: true, values: ({ names }: Ship) => names } };
const first = defineKind<{ readonly id: string; readonly name: string }>("ship");
const today = defineKind<Ship>("ship", byName, [
  ({ name, ...ship }) => ({ ...ship, names: [name] }),
  (ship) => ({ ...ship, flag: "none" }),
]);

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-store-"));
  path = join(folder, "state.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

const opened = async <T>(use: (store: SqliteStore) => T | Promise<T>): Promise<T> => {
  const store = new SqliteStore(path);
  try {
    return await use(store);
  } finally {
    store.close();
  }
};
const put = (object: { readonly id: string; readonly name: string }) =>
  opened((store) => store.update((tx) => tx.put(first, object)));

test("objects of earlier forms are read in today's, changed or not, time after time", async () => {
  await put({ id: "1", name: "a" });
  await put({ id: "2", name: "b" });
  for (let time = 0; time < 2; time++) {
    await opened(async (store) => {
      expect(store.view((tx) => tx.get(today, "1"))).toEqual({ id: "1", names: ["a"], flag: "none" });
      expect(store.view((tx) => tx.find(today, "name", "b").map(({ id }) => id))).toEqual(["2"]);
      await store.update((tx) => tx.put(today, { id: "1", names: ["a"], flag: "none" }));
    });
  }
});

test("a database from before objects had forms is one of first forms", async () => {
  const old = new Database(path, { create: true });
  old.run("CREATE TABLE objects (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID");
  old.run('INSERT INTO objects VALUES (\'ship\', \'1\', \'{"id":"1","name":"a"}\')');
  old.run("PRAGMA user_version = 1");
  old.close();
  for (let time = 0; time < 2; time++)
    expect(await opened((store) => store.view((tx) => tx.get(today, "1")?.names))).toEqual(["a"]);
});

test("objects of a later form are refused each time they are asked for, and stay as they are", async () => {
  await opened((store) => store.update((tx) => tx.put(today, { id: "1", names: ["a"], flag: "f" })));
  await opened((store) => {
    for (let time = 0; time < 2; time++)
      expect(() => store.view((tx) => tx.list(first))).toThrow(
        `${path} was written by a newer Havre (objects of kind ship in form 3, this one knows 1)`,
      );
  });
  expect(await opened((store) => store.view((tx) => tx.get(today, "1")?.flag))).toBe("f");
});

test("a database of a later format is refused when it is opened", () => {
  const later = new Database(path, { create: true });
  later.run("PRAGMA user_version = 99");
  later.close();
  expect(() => new SqliteStore(path)).toThrow("was written by a newer Havre (format 99, this one knows 2)");
});
