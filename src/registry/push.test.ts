import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Digest, Digester, digestOf } from "../base/mod.ts";
import { mediaTypes } from "../spec/mod.ts";
import { codeOf, TestRegistry } from "./testing/test-registry.ts";

let registry: TestRegistry;
beforeAll(() => {
  registry = new TestRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());
const send = (...args: Parameters<TestRegistry["send"]>) => registry.send(...args);
const header = (answer: Response, name: string) => answer.headers.get(name) ?? "";
const withDigest = (location: string, digest: Digest) =>
  `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;

async function begin(repository = "up/load"): Promise<string> {
  const answer = await send("POST", `/v2/${repository}/blobs/uploads/`);
  expect(answer.status).toBe(202);
  expect(header(answer, "range")).toBe("0-0");
  return header(answer, "location");
}

describe("blobs", () => {
  test.each([
    ["POST then PUT", async (bytes: string, digest: Digest) => send("PUT", withDigest(await begin(), digest), bytes)],
    [
      "one POST",
      (bytes: string, digest: Digest) => send("POST", withDigest("/v2/up/load/blobs/uploads/", digest), bytes),
    ],
    [
      "PATCH then PUT",
      async (bytes: string, digest: Digest) => {
        const patched = await send("PATCH", await begin(), bytes);
        expect([patched.status, header(patched, "range")]).toEqual([202, `0-${bytes.length - 1}`]);
        return send("PUT", withDigest(header(patched, "location"), digest));
      },
    ],
  ])("%s: is there afterwards under its location", async (way, push) => {
    const bytes = `pushed by ${way}`;
    const answer = await push(bytes, digestOf(bytes));
    expect(answer.status).toBe(201);
    expect(header(answer, "docker-content-digest")).toBe(digestOf(bytes));
    const back = await send("GET", header(answer, "location"));
    expect([back.status, header(back, "content-length"), await back.text()]).toEqual([200, `${bytes.length}`, bytes]);
  });

  test("chunks in order make a blob, the last with PUT; one out of order gets 416 and where to go on", async () => {
    const bytes = "abcdefghij";
    let location = await begin();
    const chunk = (method: string, from: number, to: number, where = location) =>
      send(method, where, bytes.slice(from, to + 1), { "content-range": `${from}-${to}` });
    const early = await chunk("PATCH", 4, 7);
    expect([early.status, header(early, "range"), header(early, "location")]).toEqual([416, "0-0", location]);
    const first = await chunk("PATCH", 0, 3);
    expect([first.status, header(first, "range")]).toEqual([202, "0-3"]);
    location = header(first, "location");
    const again = await chunk("PATCH", 0, 3);
    expect([again.status, header(again, "range")]).toEqual([416, "0-3"]);
    const status = await send("GET", location);
    expect([status.status, header(status, "range"), header(status, "location")]).toEqual([204, "0-3", location]);
    const late = await chunk("PUT", 8, 9, withDigest(location, digestOf(bytes)));
    expect(late.status).toBe(416);
    expect((await chunk("PATCH", 4, 7)).status).toBe(202);
    const last = await chunk("PUT", 8, 9, withDigest(location, digestOf(bytes)));
    expect(last.status).toBe(201);
    expect(await (await send("GET", header(last, "location"))).text()).toBe(bytes);
    expect((await send("GET", location)).status).toBe(404);
  });

  test("a range that does not fit its bytes is refused, and so is one that is none", async () => {
    const location = await begin();
    const refuse = async (range: string) => send("PATCH", location, "abc", { "content-range": range });
    expect(await codeOf(await refuse("0-7"))).toBe("SIZE_INVALID");
    expect(await codeOf(await refuse("three"))).toBe("BLOB_UPLOAD_INVALID");
    expect((await refuse("2-1")).status).toBe(400);
  });

  test("what does not have its digest is refused and does not stay", async () => {
    const location = await begin();
    const answer = await send("PUT", withDigest(location, digestOf("right")), "wrong");
    expect([answer.status, await codeOf(answer)]).toEqual([400, "DIGEST_INVALID"]);
    expect((await send("GET", location)).status).toBe(404);
    const once = await send("POST", withDigest("/v2/up/load/blobs/uploads/", digestOf("right")), "wrong");
    expect([once.status, await codeOf(once)]).toEqual([400, "DIGEST_INVALID"]);
    expect((await send("HEAD", `/v2/up/load/blobs/${digestOf("right")}`)).status).toBe(404);
    expect(await codeOf(await send("PUT", await begin()))).toBe("DIGEST_INVALID");
    expect(await codeOf(await send("PUT", `${await begin()}?digest=md5:00`))).toBe("DIGEST_INVALID");
  });

  test("an upload can be given up; it is nobody else's", async () => {
    const location = await begin();
    const foreign = await send("PATCH", location.replace("up/load", "some/body"), "x");
    expect([foreign.status, await codeOf(foreign)]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
    expect((await send("DELETE", location)).status).toBe(204);
    expect((await send("DELETE", location)).status).toBe(404);
    expect((await send("PATCH", location, "x")).status).toBe(404);
  });

  test("sha512 and the empty blob", async () => {
    const sha512 = new Digester("sha512").update(Buffer.from("five twelve")).digest();
    const answer = await send("PUT", withDigest(await begin(), sha512), "five twelve");
    expect([answer.status, header(answer, "docker-content-digest")]).toEqual([201, sha512]);
    expect(await (await send("GET", `/v2/up/load/blobs/${sha512}`)).text()).toBe("five twelve");
    const empty = await registry.blob("up/load", "");
    const back = await send("GET", `/v2/up/load/blobs/${empty}`);
    expect([back.status, header(back, "content-length"), await back.text()]).toEqual([200, "0", ""]);
  });

  test("a blob is its repository's: others mount it, or upload it when there is nothing to mount", async () => {
    const digest = await registry.blob("mine", "to be mounted");
    expect((await send("HEAD", `/v2/yours/blobs/${digest}`)).status).toBe(404);
    const mount = (from: string) => send("POST", `/v2/yours/blobs/uploads/?mount=${digest}${from}`);
    const fallback = await mount("&from=nobody");
    expect(fallback.status).toBe(202);
    expect((await send("PUT", withDigest(header(fallback, "location"), digest), "to be mounted")).status).toBe(201);
    await send("DELETE", `/v2/yours/blobs/${digest}`);
    const mounted = await mount("&from=mine");
    expect([mounted.status, header(mounted, "location")]).toEqual([201, `/v2/yours/blobs/${digest}`]);
    await send("DELETE", `/v2/yours/blobs/${digest}`);
    expect((await mount("")).status).toBe(201);
    expect((await send("HEAD", `/v2/yours/blobs/${digest}`)).status).toBe(200);
  });

  test("many at once push one blob", async () => {
    const bytes = Buffer.alloc(1 << 20, "x");
    await Promise.all(Array.from({ length: 8 }, (_, index) => registry.blob(`many${index % 3}`, bytes)));
    const back = await send("GET", `/v2/many2/blobs/${digestOf(bytes)}`);
    expect(Buffer.from(await back.arrayBuffer()).equals(bytes)).toBe(true);
  });
});

describe("manifests", () => {
  test("by tag and by digest, with the bytes as they came", async () => {
    const { answer, text, digest } = await registry.image("m/one", "v1");
    expect(answer.status).toBe(201);
    expect([header(answer, "docker-content-digest"), header(answer, "oci-subject")]).toEqual([digest, ""]);
    for (const path of [header(answer, "location"), "/v2/m/one/manifests/v1", `/v2/m/one/manifests/${digest}`]) {
      const back = await send("GET", path);
      expect(await back.text()).toBe(text);
      expect(header(back, "content-type")).toBe(mediaTypes.ociManifest);
      expect(header(back, "docker-content-digest")).toBe(digest);
      const head = await send("HEAD", path);
      expect([head.status, header(head, "content-length"), await head.text()]).toEqual([200, `${text.length}`, ""]);
    }
  });

  test("tags given beside a digest are all set", async () => {
    const { text, digest } = await registry.image("m/tagged", "v1");
    const answer = await registry.manifest("m/tagged", `${digest}?tag=v2&tag=latest`, text);
    expect([answer.status, header(answer, "oci-tag")]).toEqual([201, "v2, latest"]);
    expect(await (await send("GET", "/v2/m/tagged/manifests/latest")).text()).toBe(text);
  });

  test("a digest that is not that of the bytes is refused", async () => {
    const { text, digest } = await registry.image("m/two", "v1");
    const answer = await registry.manifest("m/two", digest, `${text}  `);
    expect([answer.status, await codeOf(answer)]).toEqual([400, "DIGEST_INVALID"]);
  });

  test("what a manifest names must be here, in the size it says; what cannot be handed on need not", async () => {
    const { text } = await registry.image("m/parts", "v1");
    const manifest = JSON.parse(text);
    const layer = (more: object) => ({ ...manifest, layers: [{ ...manifest.layers[0], ...more }] });
    const put = async (body: unknown) => registry.manifest("m/parts", "v2", body);
    expect(await codeOf(await put(layer({ digest: digestOf("elsewhere") })))).toBe("MANIFEST_BLOB_UNKNOWN");
    expect(await codeOf(await put(layer({ size: 4 })))).toBe("MANIFEST_INVALID");
    const foreign = { mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", size: 99 };
    expect((await put(layer({ ...foreign, digest: digestOf("elsewhere") }))).status).toBe(201);
    expect((await send("GET", "/v2/m/parts/manifests/v2")).status).toBe(200);
    const docker = { mediaType: mediaTypes.dockerForeignLayer, digest: digestOf("elsewhere"), size: 1 };
    expect((await put(layer(docker))).status).toBe(201);
  });

  test("indexes, nested and empty, whose manifests must be here", async () => {
    const { digest, size } = await registry.image("m/index", "v1");
    const index = (manifests: unknown[]) => ({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
    const put = (tag: string, body: unknown) => registry.manifest("m/index", tag, body, mediaTypes.ociIndex);
    const child = { mediaType: mediaTypes.ociManifest, digest, size };
    const first = await put("all", index([child]));
    expect(first.status).toBe(201);
    const inner = header(first, "docker-content-digest");
    const innerSize = JSON.stringify(index([child])).length;
    expect((await put("nested", index([{ ...child, digest: inner, size: innerSize }]))).status).toBe(201);
    expect((await put("empty", index([]))).status).toBe(201);
    expect(await codeOf(await put("bad", index([{ ...child, digest: digestOf("none") }])))).toBe(
      "MANIFEST_BLOB_UNKNOWN",
    );
    const list = { ...index([child]), mediaType: mediaTypes.dockerManifestList };
    expect((await registry.manifest("m/index", "docker", list, mediaTypes.dockerManifestList)).status).toBe(201);
  });

  test("types that nobody here knows, fields that nobody knows", async () => {
    const type = "application/vnd.example.thing.v1+json";
    const body = `{"schemaVersion":2,  "mediaType":"${type}","anything":[1,{}]}`;
    expect((await registry.manifest("m/thing", "v1", body, type)).status).toBe(201);
    const back = await send("GET", "/v2/m/thing/manifests/v1");
    expect([header(back, "content-type"), await back.text()]).toEqual([type, body]);
    expect((await registry.image("m/thing", "v2", "layer", { "org.example": { deep: [1] } })).answer.status).toBe(201);
  });

  test.each([
    ["not JSON", "}{", mediaTypes.ociManifest],
    ["a list", "[]", mediaTypes.ociManifest],
    ["no config", '{"schemaVersion":2,"layers":[]}', mediaTypes.ociManifest],
    ["no layers", '{"schemaVersion":2,"config":{"digest":"x"}}', mediaTypes.ociManifest],
    ["an index without manifests", '{"schemaVersion":2}', mediaTypes.ociIndex],
    ["schema 1", '{"schemaVersion":1}', "application/vnd.docker.distribution.manifest.v1+prettyjws"],
    ["two types", `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[]}`, mediaTypes.ociManifest],
    ["a bad descriptor", '{"schemaVersion":2,"manifests":[{"digest":"sha256:1"}]}', mediaTypes.ociIndex],
    ["negative size", `{"manifests":[{"digest":"${digestOf("")}","size":-1}]}`, mediaTypes.ociIndex],
    ["no type at all", '{"schemaVersion":2}', "application/json"],
  ])("%s is refused", async (_what, body, type) => {
    const answer = await registry.manifest("m/bad", "v1", body, type);
    expect([answer.status, await codeOf(answer)]).toEqual([400, "MANIFEST_INVALID"]);
  });

  test("one that is too large is refused, one of 4 MiB is not", async () => {
    const body = (bytes: number) => ({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [],
      annotations: { large: "A".repeat(bytes) },
    });
    expect((await registry.manifest("m/large", "v1", body(4_000_000), mediaTypes.ociIndex)).status).toBe(201);
    const answer = await registry.manifest("m/large", "v1", body(9 << 20), mediaTypes.ociIndex);
    expect([answer.status, await codeOf(answer)]).toEqual([413, "SIZE_INVALID"]);
  });
});

test.each([["Upper"], ["a//b"], ["a/../b"], ["-a"], ["a".repeat(256)]])("the name %s is refused", async (name) => {
  // Written by hand: a client would mend the path.
  const { routeOf } = await import("./http/routes.ts");
  const { checkName } = await import("./names.ts");
  const route = routeOf({ path: `/v2/${name}/tags/list` });
  expect(route).toMatchObject({ kind: "tags", repository: name });
  expect(() => checkName(name)).toThrow("invalid repository name");
});
