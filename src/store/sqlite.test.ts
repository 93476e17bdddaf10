import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineKind, SqliteStore } from "./mod.ts";

interface Ship {
  readonly id: string;
  readonly name: string;
  readonly crew: readonly string[];
}
const ships = defineKind<Ship>("ship", {
  name: { unique: true, values: (ship) => [ship.name] },
  crew: { unique: false, values: (ship) => ship.crew },
});

let folder: string;
let store: SqliteStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-store-"));
  store = new SqliteStore(join(folder, "state.db"));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

test("what was put is there after reopening, found by id, prefix and index", async () => {
  await store.update((tx) => tx.put(ships, { id: "abc1", name: "Astrolabe", crew: ["ann", "bob"] }));
  store.close();
  store = new SqliteStore(join(folder, "state.db"));
  const found = store.view((tx) => [
    tx.get(ships, "abc1")?.name,
    tx.find(ships, "crew", "bob").length,
    tx.findByIdPrefix(ships, "abc").length,
    tx.find(ships, "name", "Boussole").length,
  ]);
  expect(found).toEqual(["Astrolabe", 1, 1, 0]);
});

test("an update that throws changes nothing, in memory and on disk", async () => {
  await store.update((tx) => tx.put(ships, { id: "1", name: "a", crew: [] }));
  const failing = store.update((tx) => {
    tx.put(ships, { id: "1", name: "changed", crew: ["x"] });
    tx.put(ships, { id: "2", name: "b", crew: [] });
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  store.close();
  store = new SqliteStore(join(folder, "state.db"));
  expect(store.view((tx) => tx.list(ships))).toEqual([{ id: "1", name: "a", crew: [] }]);
});

test("a unique index refuses a second holder and lets the same object keep its value", async () => {
  await store.update((tx) => tx.put(ships, { id: "1", name: "a", crew: [] }));
  await expect(store.update((tx) => tx.put(ships, { id: "2", name: "a", crew: [] }))).rejects.toThrow("in use by 1");
  await store.update((tx) => tx.put(ships, { id: "1", name: "a", crew: ["x"] }));
  expect(store.view((tx) => tx.find(ships, "crew", "x").map((ship) => ship.id))).toEqual(["1"]);
});

test("a watcher sees committed changes in order and none after disposal", async () => {
  const seen: string[] = [];
  const watch = store.watch(ships, ({ before, after }) => seen.push(`${before?.name}>${after?.name}`));
  await store.update((tx) => {
    tx.put(ships, { id: "1", name: "a", crew: [] });
    tx.put(ships, { id: "1", name: "b", crew: [] });
  });
  await store.update((tx) => tx.delete(ships, "1"));
  watch[Symbol.dispose]();
  await store.update((tx) => tx.put(ships, { id: "3", name: "c", crew: [] }));
  expect(seen).toEqual(["undefined>a", "a>b", "b>undefined"]);
});

test("a second daemon on the same file is refused", async () => {
  await store.update((tx) => tx.put(ships, { id: "1", name: "a", crew: [] }));
  expect(() => new SqliteStore(join(folder, "state.db"))).toThrow("in use by another daemon");
});

test("syncs asked for together are done together, and one asked for meanwhile comes after", async () => {
  const first = store.sync();
  const second = store.sync();
  expect(store.sync()).toBe(second);
  expect(first).not.toBe(second);
  await Promise.all([first, second]);
  await store.sync();
});

test("an update that need not be durable is there after this process's end, between durable ones", async () => {
  await store.update((tx) => tx.put(ships, { id: "1", name: "a", crew: [] }));
  await store.update((tx) => tx.put(ships, { id: "2", name: "b", crew: [] }), { durable: false });
  await store.update((tx) => tx.put(ships, { id: "3", name: "c", crew: [] }));
  store.close();
  store = new SqliteStore(join(folder, "state.db"));
  expect(store.view((tx) => tx.list(ships).map((ship) => ship.name))).toEqual(["a", "b", "c"]);
});

test("an update that could not begin does not stand in the way of the next", async () => {
  store.close();
  const update = () => store.update((tx) => tx.delete(ships, "abc1"));
  const first = await update().catch((error: unknown) => error);
  await expect(update()).rejects.toThrow((first as Error).message);
  store = new SqliteStore(join(folder, "state.db"));
});
