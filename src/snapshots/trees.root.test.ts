import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lineLogger } from "../base/mod.ts";
import { writeTar } from "./tar/writer.ts";
import { Trees } from "./trees.ts";

let folder: string;
let trees: Trees;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-trees-"));
  for (const name of ["one", "two"]) mkdirSync(join(folder, name));
  trees = new Trees(
    join(folder, "trash"),
    lineLogger(() => {}, "error"),
  );
});
afterEach(async () => {
  await trees.close();
  rmSync(folder, { recursive: true });
});

const archive = () => writeTar([{ header: { path: "f", size: 3 }, body: Buffer.from("abc") }]);

test("an archive whose source fails after its last byte is not taken for whole", async () => {
  const failing = async function* () {
    yield* archive();
    throw new Error("it was not what was sent");
  };
  await expect(trees.unpack(join(folder, "one"), failing())).rejects.toThrow("it was not what was sent");
});

test("an archive that is given up while it comes is not taken for whole", async () => {
  const { promise: never } = Promise.withResolvers<void>();
  const stop = new AbortController();
  const stalling = async function* () {
    yield* archive();
    stop.abort();
    await never;
  };
  await expect(trees.unpack(join(folder, "one"), stalling(), stop.signal)).rejects.toMatchObject({
    name: "AbortError",
  });
});

test("a copy and a packed tree are what the tree was", async () => {
  writeFileSync(join(folder, "one/f"), "content");
  await trees.copy(join(folder, "one"), join(folder, "two"));
  expect(readFileSync(join(folder, "two/f"), "utf8")).toBe("content");
  mkdirSync(join(folder, "three"), { mode: 0o700 });
  await trees.unpack(join(folder, "three"), trees.pack(join(folder, "two")));
  expect(readFileSync(join(folder, "three/f"), "utf8")).toBe("content");
});
