import { expect, test } from "bun:test";
import { HavreError, systemClock } from "../../base/mod.ts";
import { codeOf, TestRegistry } from "../testing/test-registry.ts";
import type { Upstream } from "./upstream.ts";

/** Reads another test registry as an upstream; `fault` comes before each request. */
function upstreamOf(registry: TestRegistry, asked: string[], fault: () => void): Upstream {
  const get = async (method: string, path: string, headers = {}) => {
    fault();
    asked.push(`${method} ${path}`);
    const answer = await registry.send(method, `/v2/${path}`, undefined, headers);
    return answer;
  };
  return {
    async manifest(path, reference) {
      const answer = await get("GET", `${path}/manifests/${reference}`);
      if (answer.status !== 200) return undefined;
      return {
        digest: answer.headers.get("docker-content-digest") as never,
        mediaType: answer.headers.get("content-type") ?? "",
        bytes: new Uint8Array(await answer.arrayBuffer()),
      };
    },
    async digestOf(path, tag) {
      return ((await get("HEAD", `${path}/manifests/${tag}`)).headers.get("docker-content-digest") ??
        undefined) as never;
    },
    async blob(path, digest, offset) {
      const answer = await get("GET", `${path}/blobs/${digest}`, offset > 0 ? { range: `bytes=${offset}-` } : {});
      return { offset: answer.status === 206 ? offset : 0, body: answer.body as unknown as AsyncIterable<Uint8Array> };
    },
    async tags(path) {
      return ((await (await get("GET", `${path}/tags/list`)).json()) as { tags: string[] }).tags;
    },
    async referrers() {
      return [];
    },
  };
}

test("what upstream has is fetched once, follows its tags, and is served when upstream is gone", async () => {
  await using origin = new TestRegistry();
  const asked: string[] = [];
  let isDown = false;
  const fault = () => {
    if (isDown) throw new HavreError("unavailable", "upstream is down");
  };
  const mirrors = [{ prefix: "hub", upstream: "https://hub.example", freshMs: 0 }];
  await using mirror = new TestRegistry({ settings: { mirrors }, connect: () => upstreamOf(origin, asked, fault) });
  await mirror.service.start();
  const layer = "a layer ".repeat(200_000);
  const first = await origin.image("lib/app", "v1", layer);
  const get = async (path: string) => {
    const answer = await mirror.send("GET", `/v2/hub/lib/app/${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  // Nothing of upstream is told before a manifest names it.
  expect((await get(`blobs/${first.layer}`)).status).toBe(404);
  expect(await get("manifests/v1")).toEqual({ status: 200, text: first.text });
  const both = await Promise.all([get(`blobs/${first.layer}`), get(`blobs/${first.layer}`)]);
  expect(both.map(({ text }) => text === layer)).toEqual([true, true]);
  expect(asked.filter((line) => line.includes(first.layer)).length).toBe(1);
  const head = await mirror.send("HEAD", `/v2/hub/lib/app/blobs/${first.layer}`);
  expect(head.headers.get("content-length")).toBe(String(layer.length));
  const second = await origin.image("lib/app", "v1", "another layer");
  expect((await get("manifests/v1")).text).toBe(second.text);
  expect(JSON.parse((await get("tags/list")).text)).toEqual({ name: "hub/lib/app", tags: ["v1"] });
  isDown = true;
  expect((await get("manifests/v1")).text).toBe(second.text);
  expect((await get(`manifests/${first.digest}`)).text).toBe(first.text);
  expect((await get(`blobs/${first.layer}`)).text).toBe(layer);
  expect((await get("manifests/v2")).status).toBe(503);
  isDown = false;
  expect((await get("manifests/v2")).status).toBe(404);
  const push = await mirror.send("POST", "/v2/hub/lib/app/blobs/uploads/");
  expect([push.status, await codeOf(push)]).toEqual([405, "UNSUPPORTED"]);
});

test("a transfer that breaks goes on; a blob that upstream lies about is never whole", async () => {
  await using origin = new TestRegistry();
  const layer = "0123456789".repeat(100_000);
  const { layer: digest } = await origin.image("app", "v1", layer);
  let breaks = 2;
  let lies = false;
  const source = upstreamOf(origin, [], () => {});
  const flaky: Upstream = {
    ...source,
    async blob(path, digest, offset) {
      const { body, ...rest } = await source.blob(path, digest, offset);
      return {
        ...rest,
        body: (async function* () {
          for await (const chunk of body) {
            yield lies ? Buffer.alloc(chunk.length) : chunk;
            if (breaks-- > 0) throw new HavreError("unavailable", "cut");
          }
        })(),
      };
    },
  };
  const mirrors = [{ prefix: "", upstream: "https://hub.example", freshMs: 60_000 }];
  const clock = { ...systemClock, sleep: async () => {} };
  await using mirror = new TestRegistry({ settings: { mirrors }, clock, connect: () => flaky });
  await mirror.service.start();
  await mirror.send("GET", "/v2/app/manifests/v1");
  const part = await mirror.send("GET", `/v2/app/blobs/${digest}`, undefined, { range: "bytes=999990-" });
  expect([part.status, await part.text()]).toEqual([206, "0123456789"]);
  const other = await origin.image("app", "v2", "x".repeat(300_000));
  await mirror.send("GET", "/v2/app/manifests/v2");
  lies = true;
  const read = (async () => (await mirror.send("GET", `/v2/app/blobs/${other.layer}`)).arrayBuffer())();
  await expect(read).rejects.toThrow();
  lies = false;
  const again = await mirror.send("GET", `/v2/app/blobs/${other.layer}`);
  expect((await again.arrayBuffer()).byteLength).toBe(300_000);
});
