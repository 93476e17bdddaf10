import { expect, test } from "bun:test";
import { createCipheriv } from "node:crypto";
import type { ProgressMessage } from "./images.ts";
import { neighbours } from "./push/remote-chunks.ts";
import { SmallRegistry } from "./registry/testing/small-registry.ts";
import { Workshop } from "./testing/workshop.ts";

/** Noise that is the same each time, and so is where it is cut. */
const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(3 << 20));
const text = noise.toString("base64");
const changed = `${text.slice(0, 2_000_000)}one line\n${text.slice(2_000_000)}`;

/** A registry with two versions of an image, and a machine that has the first. */
async function withBoth(work: (registry: SmallRegistry, shop: Workshop, two: string, id: string) => Promise<void>) {
  await using registry = await SmallRegistry.start();
  using maker = new Workshop();
  const names = [`${registry.host}/app:1`, `${registry.host}/app:2`] as const;
  const ids: string[] = [];
  for (const [at, content] of [text, changed].entries()) {
    ids.push(await maker.make(`made:${at}`, content));
    await maker.images.tag(`made:${at}`, names[at] ?? "");
    await maker.images.distribution.push({ reference: names[at] ?? "", credentials: {} }, () => {});
  }
  using shop = new Workshop();
  await pull(shop, names[0]);
  registry.sent = 0;
  await work(registry, shop, names[1], ids[1] ?? "");
}

async function pull(shop: Workshop, reference: string): Promise<readonly string[]> {
  const messages: ProgressMessage[] = [];
  await shop.images.distribution.pull({ reference, credentials: {} }, (message) => messages.push(message));
  return messages.flatMap(({ status }) => status ?? []);
}

const layerOf = (registry: SmallRegistry) => Math.max(...[...registry.blobs.values()].map(({ length }) => length));

test("a pull fetches what is not here of a layer, and says so", () =>
  withBoth(async (registry, shop, two, id) => {
    const said = await pull(shop, two);
    expect(shop.images.resolve(two).id as string).toBe(id);
    expect(registry.sent).toBeLessThan(layerOf(registry) / 2);
    expect(registry.sent).toBeGreaterThan(1000);
    expect(said.find((line) => line.startsWith("Reused"))).toMatch(
      /^Reused [\d.]+MB of layers .* received [\d.]+[kM]B$/,
    );
  }));

test("a registry that sends no ranges sends all of it", () =>
  withBoth(async (registry, shop, two, id) => {
    registry.trouble = (request) => {
      delete request.headers.range;
      return false;
    };
    const said = await pull(shop, two);
    expect(shop.images.resolve(two).id as string).toBe(id);
    expect(said.some((line) => line.startsWith("Reused"))).toBe(false);
  }));

test("parts that are not what they should be are given up for the whole", () =>
  withBoth(async (registry, shop, two, id) => {
    const lied: string[] = [];
    registry.trouble = (_request, response, { method, range = "" }) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
      // The table is at the end; parts come from before it.
      if (method !== "GET" || from === undefined || lied.length > 0 || Number(to) > layerOf(registry) - 1000)
        return false;
      lied.push(range);
      const bytes = Buffer.alloc(Number(to) - Number(from) + 1);
      response.writeHead(206, { "content-length": bytes.length, "content-range": `bytes ${from}-${to}/*` }).end(bytes);
      return true;
    };
    await pull(shop, two);
    expect(lied).toHaveLength(1);
    expect(shop.images.resolve(two).id as string).toBe(id);
    expect(registry.sent).toBeGreaterThan(layerOf(registry) / 2);
  }));

test("versions next to one are looked at, the ones before it first", () => {
  const tags = ["latest", "v1", "v2", "v9", "v10", "v12", "v13"];
  expect(neighbours("v11", tags)).toEqual(["v10", "v9", "v2"]);
  expect(neighbours("v1", tags)).toEqual(["latest", "v2", "v9"]);
});
