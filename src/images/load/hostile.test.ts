import { afterEach, beforeEach, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../base/mod.ts";
import { type TarMember, writeTar } from "../../snapshots/mod.ts";
import { bytesOf, streamOf, tarOf, Workshop } from "../testing/workshop.ts";

let shop: Workshop;
beforeEach(() => {
  shop = new Workshop();
});
// Whatever was wrong with the archive, nothing of it stays.
afterEach(() => {
  expect([shop.blobCount(), shop.snapshots.layers().length, shop.images.list({}, true).length]).toEqual([0, 0, 0]);
  shop[Symbol.dispose]();
});

const layer = await bytesOf(tarOf({ hello: "world" }));
const diffId = digestOf(layer);

function configOf(more: object = {}): string {
  return JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [diffId] },
    ...more,
  });
}

function dockerArchive(parts: {
  config?: string;
  layers?: readonly string[];
  tags?: unknown;
  layer?: Uint8Array;
}): Record<string, string | Uint8Array> {
  return {
    "config.json": parts.config ?? configOf(),
    "layer.tar": parts.layer ?? layer,
    "manifest.json": JSON.stringify([
      { Config: "config.json", RepoTags: parts.tags ?? ["x:1"], Layers: parts.layers ?? ["layer.tar"] },
    ]),
  };
}

function ociLayout(
  manifest: object,
  blobs: readonly (string | Uint8Array)[],
  index?: object,
): Record<string, string | Uint8Array> {
  const body = JSON.stringify(manifest);
  const entry = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: digestOf(body), size: body.length };
  const files: Record<string, string | Uint8Array> = {
    "oci-layout": `{"imageLayoutVersion":"1.0.0"}`,
    "index.json": JSON.stringify(index ?? { schemaVersion: 2, manifests: [entry] }),
  };
  for (const blob of [...blobs, body]) files[`blobs/sha256/${digestOf(blob).slice(7)}`] = blob;
  return files;
}

function manifestOf(config: string, layerDigest: string, size: number): object {
  return {
    schemaVersion: 2,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layerDigest, size }],
  };
}

const config = configOf();
const FILES: readonly (readonly [what: string, files: Record<string, string | Uint8Array>, message: string])[] = [
  ["not an image", { "some/file": "x" }, "neither manifest.json nor index.json"],
  ["a manifest that is not JSON", { "manifest.json": "{" }, "manifest.json in the image archive is not JSON"],
  ["a null manifest", { "manifest.json": "null" }, "invalid manifest, manifest cannot be null (but can be [])"],
  ["a manifest of numbers", { "manifest.json": "[1]" }, "manifest.json, image 1 is not an object"],
  ["a layer that lacks", dockerArchive({ layers: ["other.tar"] }), `The image archive lacks "other.tar"`],
  [
    "too many layers",
    dockerArchive({ layers: ["layer.tar", "layer.tar"] }),
    "layers length mismatch: expected 2, got 1",
  ],
  ["a layer that lies", dockerArchive({ layer: Buffer.concat([layer, new Uint8Array(512)]) }), diffId],
  ["a layer that is no tar", dockerArchive({ layer: Buffer.from("rubbish".repeat(200)) }), "tar"],
  ["a layer cut short", dockerArchive({ layer: layer.subarray(0, 700) }), "tar"],
  ["damaged gzip", dockerArchive({ layer: gzipSync(layer).subarray(0, 60) }), "gzip stream is damaged or ends early"],
  ["a configuration without layers", dockerArchive({ config: "{}" }), "invalid image JSON, no RootFS key"],
  [
    "a configuration of the wrong shape",
    dockerArchive({ config: configOf({ config: { Env: [1] } }) }),
    "Env is not text",
  ],
  [
    "a step that is no text",
    dockerArchive({ config: configOf({ history: [{ created_by: 1 }] }) }),
    "history.created_by is not text",
  ],
  [
    "a health check of the wrong shape",
    dockerArchive({ config: configOf({ config: { Healthcheck: { Interval: "5s" } } }) }),
    "Healthcheck.Interval is not a number",
  ],
  [
    "another operating system",
    dockerArchive({ config: configOf({ os: "windows" }) }),
    "cannot load windows image on linux",
  ],
  ["a bad tag", dockerArchive({ tags: ["UPPER:1"] }), "must be lowercase"],
  ["a tag without tag", dockerArchive({ tags: ["x"] }), `invalid tag "x"`],
  ["names outside", { ...dockerArchive({}), "../evil": "x" }, "leads out of it"],
  ["a blob that is not its digest", { [`blobs/sha256/${"0".repeat(64)}`]: "x" }, "0".repeat(64)],
  ["an empty index", ociLayout({}, [], { schemaVersion: 2, manifests: [] }), "no image in its index.json"],
  [
    "an OCI layer that lacks",
    ociLayout(manifestOf(config, digestOf("nothing"), 7), [config]),
    `lacks blob ${digestOf("nothing")}`,
  ],
  [
    "an OCI layer of another size",
    ociLayout(manifestOf(config, diffId, 7), [config, layer]),
    "not the 7 its manifest says",
  ],
  ["a digest that is none", ociLayout(manifestOf(config, "sha256:abc", 7), [config]), `is not a digest: "sha256:abc"`],
  [
    "a circle of parents",
    { repositories: `{"x":{"1":"a"}}`, "a/json": `{"parent":"b"}`, "b/json": `{"parent":"a"}` },
    "have no end",
  ],
];

test.each(FILES)("%s", async (_, files, message) => {
  await expect(shop.load(tarOf(files))).rejects.toThrow(message);
});

const file = (path: string, text: string): TarMember => ({
  header: { path, size: text.length },
  body: Buffer.from(text),
});
const link = (path: string, linkTarget: string): TarMember => ({ header: { path, type: "symlink", linkTarget } });

test("two members of one name", async () => {
  await expect(shop.load(writeTar([file("manifest.json", "[]"), file("./manifest.json", "[1]")]))).rejects.toThrow(
    `two different members named "manifest.json"`,
  );
});

test("links in a circle", async () => {
  await expect(shop.load(writeTar([link("manifest.json", "a"), link("a", "manifest.json")]))).rejects.toThrow(
    "links in a circle",
  );
});

test("a link that leads out", async () => {
  await expect(shop.load(writeTar([link("manifest.json", "../../etc/passwd")]))).rejects.toThrow("leads out of it");
  await expect(
    shop.load(writeTar([link("a/manifest.json", "/etc/passwd"), link("manifest.json", "a/manifest.json")])),
  ).rejects.toThrow("neither manifest.json nor index.json");
});

test("a manifest of ten gigabytes is refused by its header", async () => {
  const promise = { path: "manifest.json", size: 10 * 2 ** 30 };
  const endless = (async function* () {
    for (;;) yield new Uint8Array(1 << 20);
  })();
  await expect(shop.load(writeTar([{ header: promise, body: endless }]))).rejects.toThrow(
    "manifest.json in the image archive is larger",
  );
});

test("a sparse file that would fill the disk", async () => {
  const header = { path: "layer.tar", size: 2 ** 40, extents: [] };
  await expect(shop.load(writeTar([{ header, body: new Uint8Array() }]))).rejects.toThrow("sparse file");
});

test("a device", async () => {
  await expect(
    shop.load(writeTar([{ header: { path: "null", type: "char", devMajor: 1, devMinor: 3 } }])),
  ).rejects.toThrow("a member of type char");
});

test("indexes without end", async () => {
  let inner = `{"schemaVersion":2,"manifests":[]}`;
  const files: Record<string, string> = {};
  for (let depth = 0; depth < 12; depth++) {
    files[`blobs/sha256/${digestOf(inner).slice(7)}`] = inner;
    const mediaType = "application/vnd.oci.image.index.v1+json";
    inner = JSON.stringify({
      schemaVersion: 2,
      manifests: [{ mediaType, digest: digestOf(inner), size: inner.length }],
    });
  }
  await expect(shop.load(tarOf({ ...files, "index.json": inner }))).rejects.toThrow("nests deeper");
});

test("an archive cut anywhere", async () => {
  using other = new Workshop();
  await other.make("a:1");
  const archive = await bytesOf(other.images.save(["a:1"]));
  for (let length = 100; length < archive.length - 1024; length += 997) {
    await expect(shop.load(streamOf(archive.subarray(0, length)))).rejects.toThrow();
  }
});

test("a client that stops half-way", async () => {
  const control = new AbortController();
  const endless = (async function* () {
    yield* tarOf({ "layer.tar": "x".repeat(100_000) });
    control.abort(new DOMException("The client went away", "AbortError"));
    yield* tarOf({ "layer2.tar": "x" });
  })();
  await expect(shop.images.load(endless, () => {}, control.signal)).rejects.toThrow("The client went away");
});
