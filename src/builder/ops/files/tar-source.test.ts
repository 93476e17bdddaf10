import { expect, test } from "bun:test";
import { digestOf } from "../../../base/mod.ts";
import { resolvePath } from "./paths.ts";
import { file, folder, link, sourceOf } from "./testing.ts";

test("an archive is read as files: contents, digests, parents that no member is about", async () => {
  const large = "x".repeat(3_000_001);
  using source = await sourceOf(file("a/b/one", "1"), file("large", large), folder("empty"), file("./a/two", "22"));
  expect(source.list("")).toEqual(["a", "empty", "large"]);
  expect(source.list("a")).toEqual(["b", "two"]);
  expect(source.stat("a/b")).toMatchObject({ type: "directory", mode: 0o755 });
  const found = source.stat("large");
  if (!found) throw new Error("large is missing");
  expect(source.digest(found)).toBe(digestOf(large));
  expect(Buffer.concat([...source.read(found)]).toString()).toBe(large);
  expect(source.stat("a/two")).toMatchObject({ size: 2 });
});

test("hard links are one file under two names, and a later member replaces an earlier one", async () => {
  using source = await sourceOf(
    file("first", "same"),
    { header: { path: "second", type: "hardlink", linkTarget: "first" } },
    folder("d"),
    file("d/in", ""),
    file("d", "now a file"),
  );
  const [first, second] = [source.stat("first"), source.stat("second")];
  expect(first?.identity).toBe(second?.identity as string);
  expect(second?.size).toBe(4);
  expect(source.stat("d")).toMatchObject({ type: "file" });
  expect(source.stat("d/in")).toBeUndefined();
});

test.each(["../out", "a/../../out", "/../out"])("a name that leads out is refused: %s", async (path) => {
  await expect(sourceOf(file(path))).rejects.toMatchObject({ kind: "invalid-argument" });
});

test("links end inside, whatever they say", async () => {
  using source = await sourceOf(
    folder("real"),
    file("real/f", ""),
    link("up", "../../real"),
    link("absolute", "/real"),
    link("loop", "loop"),
  );
  expect(resolvePath(source, "up/f")).toBe("real/f");
  expect(resolvePath(source, "absolute")).toBe("real");
  expect(resolvePath(source, "absolute", false)).toBe("absolute");
  expect(resolvePath(source, "real/../../../real/f")).toBe("real/f");
  expect(resolvePath(source, "real/missing/x")).toBe("real/missing/x");
  expect(() => resolvePath(source, "loop")).toThrow("Too many links");
});
