import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { digestOf, systemClock } from "../../base/mod.ts";
import { mediaTypes } from "../../spec/mod.ts";
import { codeOf, TestRegistry } from "../testing/test-registry.ts";

const HOUR = 3_600_000;
/** A clock that is moved by hand. */
function movable() {
  const clock = { ...systemClock, now: () => clock.at, at: systemClock.now() };
  return clock;
}

const lines = async (registry: TestRegistry, path: string) => {
  const answer = await registry.send("POST", `/havre/v1/registry/${path}`);
  expect(answer.status).toBe(200);
  return (await answer.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line)) as Record<string, unknown>[];
};
const last = async (registry: TestRegistry, path: string) => (await lines(registry, path)).at(-1)?.done;

test("collection takes what no manifest names and nobody asked for lately, and says what it would", async () => {
  const clock = movable();
  await using registry = new TestRegistry({ clock });
  const kept = await registry.image("a", "v1", "kept layer");
  const gone = await registry.image("a", "v2", "layer of a deleted image");
  await registry.blob("b", "shared");
  await registry.blob("a", "shared");
  await registry.send("DELETE", `/v2/a/manifests/${gone.digest}`);
  expect(await last(registry, "collect")).toMatchObject({ unlinked: 0, removed: 1, freed: gone.size });
  clock.at += 2 * HOUR;
  const fresh = await registry.blob("a", "fresh");
  expect((await registry.send("HEAD", `/v2/b/blobs/${digestOf("shared")}`)).status).toBe(200);
  const dry = await last(registry, "collect?dry-run=true");
  expect(dry).toEqual({ unlinked: 2, removed: 1, freed: "layer of a deleted image".length, dryRun: true });
  expect(await last(registry, "collect")).toEqual({ ...(dry as object), dryRun: false });
  const status = async (path: string) => (await registry.send("GET", path)).status;
  expect(await status(`/v2/a/blobs/${gone.layer}`)).toBe(404);
  expect(existsSync(registry.content.path(gone.layer))).toBe(false);
  expect(await status(`/v2/a/blobs/${digestOf("shared")}`)).toBe(404);
  expect(await status(`/v2/b/blobs/${digestOf("shared")}`)).toBe(200);
  expect(await status(`/v2/a/blobs/${kept.layer}`)).toBe(200);
  expect(await status(`/v2/a/blobs/${fresh}`)).toBe(200);
});

test("pushes and pulls go on while it collects, and lose nothing", async () => {
  await using registry = new TestRegistry();
  for (let index = 0; index < 250; index++) {
    await registry.content.put(Buffer.from(`garbage ${index}`));
  }
  let ended = false;
  const collecting = lines(registry, "collect?grace=0").finally(() => {
    ended = true;
  });
  let pushed = 0;
  while (!ended || pushed < 20) {
    const { answer, layer } = await registry.image("a", `t${pushed}`, `layer ${pushed}`);
    // Without a time of grace a blob may go between its push and its manifest's, which then says so.
    if (answer.status === 201)
      expect(await (await registry.send("GET", `/v2/a/blobs/${layer}`)).text()).toBe(`layer ${pushed}`);
    else expect(await codeOf(answer)).toBe("MANIFEST_BLOB_UNKNOWN");
    pushed++;
  }
  expect((await collecting).at(-1)?.done).toMatchObject({ removed: expect.any(Number) });
  for (const { digest } of registry.service.registry.tags.records("a")) {
    expect((await registry.send("GET", `/v2/a/manifests/${digest}`)).status).toBe(200);
  }
});

test("retention keeps what its rule says, with what hangs on it", async () => {
  const clock = movable();
  const rule = { match: "a", roles: {}, immutable: ["v*"], retain: { newest: 2, tags: ["latest"], untagged: HOUR } };
  await using registry = new TestRegistry({ clock, settings: { repositories: [rule] } });
  const made: Record<string, Awaited<ReturnType<TestRegistry["image"]>>> = {};
  for (const tag of ["v1", "b1", "b2", "latest", "b3"]) {
    made[tag] = await registry.image("a", tag, `layer ${tag}`);
    clock.at += HOUR;
  }
  const attach = async (to: string) => {
    const { digest, size } = made[to] ?? { digest: digestOf(""), size: 0 };
    const subject = { mediaType: mediaTypes.ociManifest, digest, size };
    await registry.image("a", digestOf("x"), "sbom", { subject, annotations: { to } }).catch(() => {});
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: digestOf("{}"), size: 2 },
      layers: [],
      subject,
    });
    await registry.manifest("a", digestOf(text), text);
    const signature = await registry.image("a", `${digest.replace(":", "-")}.sig`, `signature of ${to}`);
    return { referrer: digestOf(text), signature: signature.digest };
  };
  const [kept, lost] = [await attach("b3"), await attach("b1")];
  clock.at += 2 * HOUR;
  const dry = await lines(registry, "retain?dry-run=true");
  const goes = (all: typeof dry) => all.filter(({ keep }) => keep === false).map(({ name }) => String(name));
  const attached = `${made.b1?.digest.replace(":", "-")}.sig`;
  expect(goes(dry)).toEqual(["b1", attached, made.b1?.digest ?? "", lost.referrer, lost.signature]);
  expect((await registry.send("GET", "/v2/a/manifests/b1")).status).toBe(200);
  expect(goes(await lines(registry, "retain"))).toEqual(goes(dry));
  expect(registry.service.registry.tags.list("a")).toEqual(
    ["b2", "b3", "latest", `${made.b3?.digest.replace(":", "-")}.sig`, "v1"].sort(),
  );
  for (const digest of [kept.referrer, kept.signature, made.b3?.digest]) {
    expect((await registry.send("GET", `/v2/a/manifests/${digest}`)).status).toBe(200);
  }
  expect(goes(await lines(registry, "retain"))).toEqual([]);
});

test("a quota is for all repositories of its rule, and holds for every way in", async () => {
  const rule = { match: "q/**", roles: {}, immutable: [], quota: 100 };
  await using registry = new TestRegistry({ settings: { repositories: [rule] } });
  await registry.blob("q/a", "x".repeat(60));
  await registry.blob("other", "y".repeat(500));
  const post = (repository: string, bytes: string) =>
    registry.send("POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(bytes)}`, bytes);
  const refused = await post("q/b", "z".repeat(41));
  expect([refused.status, await codeOf(refused)]).toEqual([403, "DENIED"]);
  const mount = `/v2/q/b/blobs/uploads/?mount=${digestOf("y".repeat(500))}&from=other`;
  expect((await registry.send("POST", mount)).status).toBe(403);
  const begun = await registry.send("POST", "/v2/q/b/blobs/uploads/");
  expect((await registry.send("PATCH", begun.headers.get("location") ?? "", "z".repeat(41))).status).toBe(403);
  expect((await post("q/b", "z".repeat(40))).status).toBe(201);
  expect((await post("q/a", "x".repeat(60))).status).toBe(201);
  expect((await post("q/a", "1")).status).toBe(403);
  await registry.send("DELETE", `/v2/q/b/blobs/${digestOf("z".repeat(40))}`);
  expect((await post("q/a", "1")).status).toBe(201);
});
