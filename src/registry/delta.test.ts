import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../base/mod.ts";
import { DELTA_TYPE, encodeRecipe, type Part } from "../content/mod.ts";
import { TestRegistry } from "./testing/test-registry.ts";

const folder = mkdtempSync(join(tmpdir(), "havre-delta-"));
let registry: TestRegistry;
beforeAll(() => {
  registry = new TestRegistry();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const known = randomBytes(200_000);
const digest = digestOf(known);
const header = (answer: Response, name: string) => answer.headers.get(name) ?? "";

async function begin(repository: string): Promise<string> {
  const answer = await registry.send("POST", `/v2/${repository}/blobs/uploads/`);
  expect(header(answer, "accept-patch")).toContain(DELTA_TYPE);
  return header(answer, "location");
}

function patch(location: string, parts: readonly Part[], rest: string | Uint8Array) {
  const body = Buffer.concat([encodeRecipe(parts), Buffer.from(rest)]);
  return registry.send("PATCH", location, body, { "content-type": DELTA_TYPE });
}

test("a blob is put together of parts of what the repository has", async () => {
  await registry.blob("team/app", known);
  const wanted = Buffer.concat([known.subarray(100, 70_000), Buffer.from("new"), known.subarray(0, 50)]);
  const parts = [
    { length: 69_900, from: { digest, offset: 100 } },
    { length: 3 },
    { length: 50, from: { digest, offset: 0 } },
  ];
  const patched = await patch(await begin("team/app"), parts, "new");
  expect([patched.status, header(patched, "range")]).toEqual([202, `0-${wanted.length - 1}`]);
  const done = await registry.send("PUT", `${header(patched, "location")}?digest=${digestOf(wanted)}`);
  expect(done.status).toBe(201);
  const back = await registry.send("GET", header(done, "location"));
  expect(Buffer.from(await back.arrayBuffer()).equals(wanted)).toBe(true);
});

test("one that is not what it is said to be is never seen", async () => {
  await registry.blob("team/lie", known);
  const promised = digestOf("something else");
  const patched = await patch(await begin("team/lie"), [{ length: 10, from: { digest, offset: 0 } }], "");
  const done = await registry.send("PUT", `${header(patched, "location")}?digest=${promised}`);
  expect([done.status, await done.json()]).toMatchObject([400, { errors: [{ code: "DIGEST_INVALID" }] }]);
  expect((await registry.send("HEAD", `/v2/team/lie/blobs/${promised}`)).status).toBe(404);
});

test("what another repository has is not there", async () => {
  await registry.blob("team/secret", known);
  const refused = await patch(await begin("team/other"), [{ length: 10, from: { digest, offset: 0 } }], "");
  expect([refused.status, await refused.json()]).toMatchObject([404, { errors: [{ code: "BLOB_UNKNOWN" }] }]);
});

test("a part behind the end, a recipe that is none and a second delta are refused", async () => {
  await registry.blob("team/wrong", known);
  const behind = [{ length: 10, from: { digest, offset: known.length - 9 } }];
  expect((await patch(await begin("team/wrong"), behind, "")).status).toBe(400);
  const headers = { "content-type": DELTA_TYPE };
  const nonsense = await registry.send("PATCH", await begin("team/wrong"), "nonsense", headers);
  expect([nonsense.status, await nonsense.json()]).toMatchObject([400, { errors: [{ code: "BLOB_UPLOAD_INVALID" }] }]);
  const location = await begin("team/wrong");
  expect((await patch(location, [{ length: 3 }], "abc")).status).toBe(202);
  const again = await patch(location, [{ length: 3 }], "abc");
  expect([again.status, header(again, "range")]).toEqual([416, "0-2"]);
});

test("who may push and not pull is offered none, and cannot read by guessing", async () => {
  const users = join(folder, "users");
  writeFileSync(users, `ann:${await Bun.password.hash("ann", { algorithm: "bcrypt", cost: 4 })}\n`);
  await using closed = new TestRegistry({
    settings: { users, token: { lifetimeMs: 60_000 } },
  });
  const basic = { authorization: `Basic ${Buffer.from("ann:ann").toString("base64")}` };
  const token = async (actions: string) => {
    const scope = encodeURIComponent(`repository:team/app:${actions}`);
    const path = `/token?service=havre-registry&scope=${scope}`;
    const { token } = (await (await closed.send("GET", path, undefined, basic)).json()) as { token: string };
    return { authorization: `Bearer ${token}` };
  };
  const pushOnly = await token("push");
  const begun = await closed.send("POST", "/v2/team/app/blobs/uploads/", undefined, pushOnly);
  expect([begun.status, begun.headers.get("accept-patch")]).toEqual([202, null]);
  const both = await token("pull,push");
  const put = `/v2/team/app/blobs/uploads/?digest=${digest}`;
  expect((await closed.send("POST", put, known, both)).status).toBe(201);
  const body = encodeRecipe([{ length: 1, from: { digest, offset: 0 } }]);
  const attempt = (authorization: object) =>
    closed.send("PATCH", header(begun, "location"), body, { "content-type": DELTA_TYPE, ...authorization });
  expect((await attempt(pushOnly)).status).toBe(403);
  expect((await attempt(both)).status).toBe(202);
});
