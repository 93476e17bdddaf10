import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { digestOf } from "../../base/mod.ts";
import { writeTar } from "../../snapshots/mod.ts";
import { bytesOf, streamOf, tarOf, Workshop } from "../testing/workshop.ts";

const TYPE = "application/vnd.oci.image";
const layer = await bytesOf(tarOf({ hello: "world" }));

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Files of an OCI layout as they grow, and descriptors for what was put. */
class Layout {
  readonly files: Record<string, string | Uint8Array> = { "oci-layout": `{"imageLayoutVersion":"1.0.0"}` };

  put(kind: string, content: string | Uint8Array): Blob {
    const digest = digestOf(content);
    this.files[`blobs/sha256/${digest.slice(7)}`] = content;
    return { mediaType: `${TYPE}.${kind}`, digest, size: content.length };
  }

  image(architecture: string, bytes: Uint8Array = layer, layerKind = "layer.v1.tar"): Blob & { platform: object } {
    const rootfs = { type: "layers", diff_ids: [digestOf(layer)] };
    const config = this.put("config.v1+json", JSON.stringify({ architecture, os: "linux", rootfs }));
    const manifest = {
      schemaVersion: 2,
      mediaType: `${TYPE}.manifest.v1+json`,
      config,
      layers: [this.put(layerKind, bytes)],
    };
    return { ...this.put("manifest.v1+json", JSON.stringify(manifest)), platform: { os: "linux", architecture } };
  }

  index(manifests: readonly object[]): Blob {
    return this.put(
      "index.v1+json",
      JSON.stringify({ schemaVersion: 2, mediaType: `${TYPE}.index.v1+json`, manifests }),
    );
  }

  archive(manifests: readonly object[]): AsyncIterable<Uint8Array> {
    return tarOf({ ...this.files, "index.json": JSON.stringify({ schemaVersion: 2, manifests }) });
  }
}

const named = (blob: object, name: string) => ({ ...blob, annotations: { "org.opencontainers.image.ref.name": name } });

test("of a nested index the image for this machine is taken, the rest is not kept", async () => {
  using shop = new Workshop();
  const layout = new Layout();
  const arm = layout.image("arm64");
  const amd = layout.image("amd64");
  const unknown = { ...layout.put("manifest.v1+json", "{}"), platform: { os: "unknown", architecture: "unknown" } };
  const nested = layout.index([layout.index([arm, unknown, amd])]);
  expect(await shop.load(layout.archive([named(nested, "docker.io/library/app:2")]))).toBe("Loaded image: app:2\n");
  const image = shop.images.resolve("app:2");
  expect([image.config.architecture, image.manifest as string]).toEqual(["amd64", amd.digest]);
  expect(shop.content.info(arm.digest as never)).toBeUndefined();
});

test("an index without this machine's platform says what it has", async () => {
  using shop = new Workshop();
  const layout = new Layout();
  const index = layout.index([layout.image("arm64"), layout.image("s390x")]);
  await expect(shop.load(layout.archive([index]))).rejects.toThrow(`No image for linux/amd64 in index ${index.digest}`);
  expect(shop.blobCount()).toBe(0);
});

test.each([
  ["gzip", gzipSync(layer), "layer.v1.tar+gzip"],
  ["zstd", zstdCompressSync(layer), "layer.v1.tar+zstd"],
] as const)("a %s layer is kept as it came and shares its tree with the plain one", async (_, bytes, kind) => {
  using shop = new Workshop();
  using other = new Workshop();
  const layout = new Layout();
  const image = layout.image("amd64", bytes, kind);
  await shop.load(layout.archive([named(image, "app:1")]));
  expect(shop.snapshots.layers() as readonly string[]).toEqual([digestOf(layer)]);
  await other.load(shop.images.save(["app:1"]));
  expect(other.images.resolve("app:1").manifest as string).toBe(image.digest);
  expect(other.images.resolve("app:1").size).toBe(5);
});

test("a name that is only a tag names nothing", async () => {
  using shop = new Workshop();
  const layout = new Layout();
  const image = layout.image("amd64");
  expect(await shop.load(layout.archive([named(image, "latest")]))).toStartWith("Loaded image ID: sha256:");
});

test("links inside a Docker archive stand for the layers they point to", async () => {
  using shop = new Workshop();
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [digestOf(layer), digestOf(layer)] },
  });
  const manifest = JSON.stringify([{ Config: "c.json", RepoTags: ["x:1"], Layers: ["a/layer.tar", "b/layer.tar"] }]);
  const member = (path: string, content: string | Uint8Array) => ({
    header: { path, size: content.length },
    body: Buffer.from(content),
  });
  const archive = writeTar([
    member("manifest.json", manifest),
    { header: { path: "b/layer.tar", type: "symlink", linkTarget: "../a/layer.tar" } },
    member("a/layer.tar", layer),
    member("c.json", config),
  ]);
  await shop.load(archive);
  expect(shop.images.resolve("x:1").chain.length).toBe(2);
});

test("an archive from before manifests: the chain of its folders becomes one image", async () => {
  using shop = new Workshop();
  const archive = tarOf({
    repositories: JSON.stringify({ old: { "1": "bbb" } }),
    "aaa/json": JSON.stringify({
      id: "aaa",
      created: "2014-01-01T00:00:00Z",
      container_config: { Cmd: ["/bin/sh", "-c", "base"] },
    }),
    "aaa/layer.tar": layer,
    "bbb/json": JSON.stringify({
      id: "bbb",
      parent: "aaa",
      os: "linux",
      architecture: "amd64",
      author: "me",
      config: { Cmd: ["x"] },
    }),
    "bbb/layer.tar": await bytesOf(tarOf({ second: "layer" })),
  });
  await shop.load(archive);
  const image = shop.images.resolve("old:1");
  expect([image.chain.length, image.config.config?.Cmd]).toEqual([2, ["x"]]);
  expect(shop.images.history("old:1").map(({ entry, size }) => [entry.created_by, entry.author, size])).toEqual([
    [undefined, "me", 5],
    ["/bin/sh -c base", undefined, 5],
  ]);
});

test("loading again changes nothing; another image takes the name and leaves the old one nameless", async () => {
  using shop = new Workshop();
  using other = new Workshop();
  const first = await shop.make("a:1", "one");
  const archive = await bytesOf(shop.images.save(["a:1"]));
  await shop.load(streamOf(archive));
  expect(shop.images.tagHistory("a:1").length).toBe(1);
  await other.make("a:1", "two");
  expect(await shop.load(other.images.save(["a:1"]))).toBe(
    `The image a:1 already exists, renaming the old one with ID ${first} to empty string\nLoaded image: a:1\n`,
  );
  expect(shop.images.get(first as never)?.tags).toEqual([]);
});

test("one image loaded by many at once, with collections between, is whole", async () => {
  using shop = new Workshop();
  using other = new Workshop();
  for (const name of ["a:1", "b:1", "c:1"]) await other.make(name);
  const archive = await bytesOf(other.images.save(["a:1", "b:1", "c:1"]));
  let loading = true;
  const collecting = (async () => {
    while (loading) {
      await shop.images.collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const loads = Array.from({ length: 6 }, (_, at) => shop.load(streamOf(archive, 500 + at * 131)));
  await Promise.all(loads);
  loading = false;
  await collecting;
  expect((await bytesOf(shop.images.save(["a:1", "b:1", "c:1"]))).equals(archive)).toBe(true);
  expect(shop.snapshots.layers().length).toBe(3);
});
