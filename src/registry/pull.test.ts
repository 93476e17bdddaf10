import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { digestOf } from "../base/mod.ts";
import { mediaTypes } from "../spec/mod.ts";
import { codeOf, TestRegistry } from "./testing/test-registry.ts";

let registry: TestRegistry;
beforeAll(() => {
  registry = new TestRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());
const send = (...args: Parameters<TestRegistry["send"]>) => registry.send(...args);
const header = (answer: Response, name: string) => answer.headers.get(name) ?? "";

describe("pull", () => {
  test("what is not here has its own error each", async () => {
    const nothing = digestOf("nothing");
    const code = async (path: string) => codeOf(await send("GET", path));
    expect(await code(`/v2/no/thing/blobs/${nothing}`)).toBe("BLOB_UNKNOWN");
    expect(await code("/v2/no/thing/manifests/latest")).toBe("MANIFEST_UNKNOWN");
    expect(await code(`/v2/no/thing/manifests/${nothing}`)).toBe("MANIFEST_UNKNOWN");
    expect(await code("/v2/no/thing/tags/list")).toBe("NAME_UNKNOWN");
    expect(await code("/v2/no/thing/blobs/sha256:12")).toBe("DIGEST_INVALID");
    expect(await code("/v2/No/thing/manifests/latest")).toBe("NAME_INVALID");
    expect(await code("/v2/no/thing/manifests/.bad")).toBe("MANIFEST_INVALID");
    const head = await send("HEAD", `/v2/no/thing/blobs/${nothing}`);
    expect([head.status, await head.text()]).toEqual([404, ""]);
    expect((await send("GET", "/elsewhere")).status).toBe(404);
    expect((await send("PUT", "/v2/")).status).toBe(405);
  });

  test.each([
    ["bytes=0-3", "bytes 0-3/10", "0123"],
    ["bytes=4-", "bytes 4-9/10", "456789"],
    ["bytes=-2", "bytes 8-9/10", "89"],
    ["bytes=8-99", "bytes 8-9/10", "89"],
    ["bytes=-99", "bytes 0-9/10", "0123456789"],
  ])("a blob's %s", async (range, said, bytes) => {
    const digest = await registry.blob("ran/ge", "0123456789");
    const answer = await send("GET", `/v2/ran/ge/blobs/${digest}`, undefined, { range });
    expect([answer.status, header(answer, "content-range"), await answer.text()]).toEqual([206, said, bytes]);
    expect(header(answer, "content-length")).toBe(String(bytes.length));
  });

  test("a range past the end is refused, one that is none is no range", async () => {
    const digest = await registry.blob("ran/ge", "0123456789");
    const get = (range: string) => send("GET", `/v2/ran/ge/blobs/${digest}`, undefined, { range });
    const past = await get("bytes=10-");
    expect([past.status, header(past, "content-range")]).toEqual([416, "bytes */10"]);
    for (const odd of ["lines=1-2", "bytes=3-1", "bytes=1-2,4-5"]) expect((await get(odd)).status).toBe(200);
  });

  test("who has it already is told so", async () => {
    const { digest } = await registry.image("cached", "v1");
    for (const path of ["/v2/cached/manifests/v1", `/v2/cached/blobs/${digest}`]) {
      const answer = await send("GET", path, undefined, { "if-none-match": `"${digest}"` });
      expect([answer.status, await answer.text()]).toEqual([304, ""]);
    }
  });
});

describe("discovery", () => {
  test("tags in order, a page at a time", async () => {
    for (const tag of ["b", "a", "C", "d"]) await registry.image("li/st", tag);
    const list = async (query: string) => {
      const answer = await send("GET", `/v2/li/st/tags/list${query}`);
      return { link: header(answer, "link"), ...((await answer.json()) as { name: string; tags: string[] }) };
    };
    expect(await list("")).toEqual({ link: "", name: "li/st", tags: ["C", "a", "b", "d"] });
    const first = await list("?n=2");
    expect(first).toMatchObject({ tags: ["C", "a"], link: '</v2/li/st/tags/list?last=a&n=2>; rel="next"' });
    expect(await list("?n=2&last=a")).toEqual({ link: "", name: "li/st", tags: ["b", "d"] });
    expect((await list("?last=aa")).tags).toEqual(["b", "d"]);
    expect((await list("?n=0")).tags).toEqual([]);
    expect(await codeOf(await send("GET", "/v2/li/st/tags/list?n=many"))).toBe("PAGINATION_NUMBER_INVALID");
  });

  test("repositories, a page at a time", async () => {
    for (const name of ["cat/a", "cat/b", "cat/c"]) await registry.image(name, "v1");
    const answer = await send("GET", "/v2/_catalog?n=2&last=cat/a");
    const { repositories } = (await answer.json()) as { repositories: string[] };
    expect(repositories).toEqual(["cat/b", "cat/c"]);
    expect(header(await send("GET", "/v2/_catalog?n=1"), "link")).toContain("rel=");
  });

  test("referrers, all and of one type; none is an empty index", async () => {
    const { digest, size } = await registry.image("re/fer", "v1");
    const subject = { mediaType: mediaTypes.ociManifest, digest, size };
    const annotations = { "org.example": "hello" };
    const artifact = (artifactType: string, more = {}) =>
      registry.image("re/fer", `ref-${artifactType.length}`, "layer", { artifactType, subject, annotations, ...more });
    const one = await artifact("application/a");
    expect(header(one.answer, "oci-subject")).toBe(digest);
    await artifact("application/bb");
    // An image that refers is of its configuration's type.
    await registry.image("re/fer", "plain", "layer", { subject });
    const list = async (query = "", of: string = digest) => {
      const answer = await send("GET", `/v2/re/fer/referrers/${of}${query}`);
      expect([answer.status, header(answer, "content-type")]).toEqual([200, mediaTypes.ociIndex]);
      const index = (await answer.json()) as { manifests: { digest: string; artifactType: string }[] };
      return { filtered: header(answer, "oci-filters-applied"), index };
    };
    const all = await list();
    expect(all.index).toMatchObject({ schemaVersion: 2, mediaType: mediaTypes.ociIndex });
    expect(all.index.manifests.map(({ artifactType }) => artifactType).sort()).toEqual([
      "application/a",
      "application/bb",
      mediaTypes.ociConfig,
    ]);
    const filtered = await list("?artifactType=application/a");
    expect(filtered.filtered).toBe("artifactType");
    expect(filtered.index.manifests).toEqual([
      {
        mediaType: mediaTypes.ociManifest,
        digest: one.digest,
        size: one.size,
        artifactType: "application/a",
        annotations,
      },
    ] as never);
    expect((await list("?artifactType=none")).index.manifests).toEqual([]);
    expect((await list("", digestOf("nobody"))).index.manifests).toEqual([]);
    expect((await send("GET", "/v2/re/fer/referrers/latest")).status).toBe(400);
    await send("DELETE", `/v2/re/fer/manifests/${one.digest}`);
    expect((await list()).index.manifests.length).toBe(2);
  });

  test("a subject need not be here, and fallback tags are listed with what refers itself", async () => {
    const missing = { mediaType: mediaTypes.ociManifest, digest: digestOf("missing"), size: 7 };
    const known = await registry.image("fall/back", "ref", "layer", { subject: missing });
    expect(header(known.answer, "oci-subject")).toBe(missing.digest);
    const old = await registry.image("fall/back", "old", "older");
    const listed = [known, old].map(({ digest, size }) => ({ mediaType: mediaTypes.ociManifest, digest, size }));
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: listed };
    await registry.manifest("fall/back", missing.digest.replace(":", "-"), index, mediaTypes.ociIndex);
    const answer = await send("GET", `/v2/fall/back/referrers/${missing.digest}`);
    const { manifests } = (await answer.json()) as { manifests: { digest: string }[] };
    expect(manifests.map(({ digest }) => digest)).toEqual([known.digest, old.digest]);
  });
});

describe("management", () => {
  test("a tag is deleted alone, a manifest with its tags, a blob for its repository", async () => {
    const { digest, layer } = await registry.image("de/lete", "v1");
    await registry.image("de/lete", "v2");
    await registry.blob("other", "layer");
    const status = async (method: string, path: string) => (await send(method, path)).status;
    expect(await status("DELETE", "/v2/de/lete/manifests/v1")).toBe(202);
    expect(await status("GET", "/v2/de/lete/manifests/v1")).toBe(404);
    expect(await status("GET", `/v2/de/lete/manifests/${digest}`)).toBe(200);
    expect(await status("DELETE", `/v2/de/lete/manifests/${digest}`)).toBe(202);
    expect(await status("GET", "/v2/de/lete/manifests/v2")).toBe(404);
    expect(await status("DELETE", `/v2/de/lete/manifests/${digest}`)).toBe(404);
    expect(await status("DELETE", `/v2/de/lete/blobs/${layer}`)).toBe(202);
    expect(await status("GET", `/v2/de/lete/blobs/${layer}`)).toBe(404);
    expect(await status("DELETE", `/v2/de/lete/blobs/${layer}`)).toBe(404);
    expect(await status("GET", `/v2/other/blobs/${layer}`)).toBe(200);
  });
});
