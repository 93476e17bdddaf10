import { expect, test } from "bun:test";
import { systemClock } from "../../base/mod.ts";
import { TestRegistry } from "../testing/test-registry.ts";
import type { NotificationEvent } from "./event.ts";

/** Takes events, after having refused so many times. */
function receiver(refusals: number) {
  const got: { type: string | null; secret: string | null; event: NotificationEvent }[] = [];
  const waiting = new Set<() => void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      if (refusals-- > 0) return new Response("later", { status: 503 });
      const { events } = (await request.json()) as { events: NotificationEvent[] };
      for (const event of events) {
        got.push({ type: request.headers.get("content-type"), secret: request.headers.get("x-secret"), event });
      }
      for (const wake of waiting) wake();
      return new Response("");
    },
  });
  const until = async (count: number) => {
    while (got.length < count) await new Promise<void>((resolve) => waiting.add(resolve));
  };
  return { url: `http://127.0.0.1:${server.port}/hook`, got, until, end: () => server.stop(true) };
}
const impatient = { ...systemClock, sleep: () => systemClock.sleep(1) };

test("pushes and deletions are told in order, in the field's envelope, until they are taken", async () => {
  const { url, got, until, end } = receiver(3);
  const webhooks = [{ url, events: ["push", "delete"] as const, match: "a/**", headers: { "x-secret": "s" } }];
  await using registry = new TestRegistry({ clock: impatient, settings: { webhooks } });
  await registry.service.start();
  const { digest, size } = await registry.image("a/b", "v1");
  await registry.image("other", "v1");
  await registry.send("DELETE", `/v2/a/b/manifests/${digest}`);
  await until(2);
  expect(got.map(({ event }) => event.action)).toEqual(["push", "delete"]);
  expect(got[0]).toMatchObject({
    type: "application/vnd.docker.distribution.events.v1+json",
    secret: "s",
    event: {
      target: { digest, size, repository: "a/b", tag: "v1", url: `${registry.url}/v2/a/b/manifests/${digest}` },
      request: { addr: "127.0.0.1", method: "PUT" },
    },
  });
  end();
});

test("what nobody takes waits, at most so much of it, and a push that fails is not told", async () => {
  const { Webhooks } = await import("./webhooks.ts");
  await using registry = new TestRegistry();
  const url = "http://127.0.0.1:1/";
  const options = { store: registry.store, clock: systemClock, log: silent, url: () => "", limit: 3 };
  const change = { action: "push", repository: "a", digest: `sha256:${"0".repeat(64)}` } as const;
  const actor = { remote: "", host: "", method: "", agent: "" };
  {
    await using webhooks = new Webhooks(options);
    await webhooks.replace([{ url, events: ["push"], match: "**", headers: {} }]);
    for (let tag = 1; tag <= 5; tag++) {
      await registry.store.update((tx) => webhooks.changed(tx, { ...change, tag: `${tag}`, actor }));
    }
    const failing = registry.store.update((tx) => {
      webhooks.changed(tx, { ...change, actor });
      throw new Error("refused");
    });
    await expect(failing).rejects.toThrow("refused");
    expect([webhooks.waiting, webhooks.dropped >= 2]).toEqual([3, true]);
  }
  // Another run of the registry finds them, and tells whoever is to be told now.
  await using later = new Webhooks(options);
  expect(later.waiting).toBe(3);
  await later.replace([]);
  expect(later.waiting).toBe(0);
});

const silent = { debug() {}, info() {}, warn() {}, error() {} };
