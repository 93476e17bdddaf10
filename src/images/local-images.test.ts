import { expect, test } from "bun:test";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { bytesOf, streamOf, tarOf, Workshop } from "./testing/workshop.ts";

const ID = /^sha256:[0-9a-f]{64}$/;

test("an imported image is found by every form of its name and id", async () => {
  using shop = new Workshop();
  const id = await shop.make("debian:12", "hello", ['CMD ["sh"]', "ENV A=1"]);
  expect(id).toMatch(ID);
  const hex = id.slice(7);
  for (const name of [
    "debian:12",
    "docker.io/library/debian:12",
    id,
    hex,
    hex.slice(0, 12),
    `sha256:${hex.slice(0, 5)}`,
  ]) {
    expect(shop.images.resolve(name).id as string).toBe(id);
  }
  const image = shop.images.resolve("debian:12");
  expect(image.tags).toEqual(["debian:12"]);
  expect(image.size).toBe(5);
  expect(image.config.config).toEqual({ Cmd: ["sh"], Env: ["A=1"] });
  expect(() => shop.images.resolve("debian")).toThrow("No such image: debian:latest");
  expect(() => shop.images.resolve("0000")).toThrow("No such image: 0000:latest");
  expect(() => shop.images.resolve(`sha256:${"0".repeat(64)}`)).toThrow(`No such image: sha256:${"0".repeat(64)}`);
  expect(() => shop.images.resolve("UPPER")).toThrow("must be lowercase");
  expect(shop.images.find("nowhere")).toBeUndefined();
  expect(shop.events).toEqual(["tag debian:12", `import ${id}`]);
});

test.each(["none", "gzip"])(
  "a saved archive (%s) loads elsewhere with the same digests and is saved again byte by byte",
  async (how) => {
    using shop = new Workshop();
    using other = new Workshop();
    const a = await shop.make("a:1", "one");
    await shop.images.tag("a:1", "registry.test:5000/x/y", "v2");
    await shop.make("b:2", "two");
    const names = ["a", "registry.test:5000/x/y:v2", "b:2"];
    const archive = await bytesOf(shop.images.save(names));
    const source = how === "gzip" ? Readable.from([archive]).pipe(createGzip()) : streamOf(archive);
    expect(await other.load(source)).toBe(
      "Loaded image: a:1\nLoaded image: registry.test:5000/x/y:v2\nLoaded image: b:2\n",
    );
    expect(other.images.resolve("a:1").id as string).toBe(a);
    expect(other.images.resolve("a:1").manifest).toBe(shop.images.resolve("a:1").manifest as never);
    expect((await bytesOf(other.images.save(names))).equals(archive)).toBe(true);
    expect(other.images.list({}).map(({ tags }) => tags)).toEqual(shop.images.list({}).map(({ tags }) => tags));
  },
);

test("an image saved by id comes back without a name, and says its id", async () => {
  using shop = new Workshop();
  using other = new Workshop();
  const id = await shop.make("a:1");
  expect(await other.load(shop.images.save([id]))).toBe(`Loaded image ID: ${id}\n`);
  expect(other.images.resolve(id).tags).toEqual([]);
});

test("save refuses a name that is not here before the first byte", async () => {
  using shop = new Workshop();
  await shop.make("a:1");
  expect(() => shop.images.save(["a:1", "nowhere"])).toThrow("No such image: nowhere:latest");
});

test("a failing import leaves nothing", async () => {
  using shop = new Workshop();
  const broken = (async function* () {
    yield* tarOf({ big: "x".repeat(5000) });
    throw new Error("the client went away");
  })();
  await expect(shop.images.import({ source: broken, changes: [], repository: "x" }, () => {})).rejects.toThrow(
    "the client went away",
  );
  await expect(
    shop.images.import({ source: streamOf(Buffer.from("not a tar at all".repeat(100))), changes: [] }, () => {}),
  ).rejects.toThrow("tar");
  expect(shop.blobCount()).toBe(0);
  expect(shop.images.list({})).toEqual([]);
});
