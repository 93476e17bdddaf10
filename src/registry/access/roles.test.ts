import { afterAll, beforeAll, expect, test } from "bun:test";
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/mod.ts";
import { codeOf, TestRegistry } from "../testing/test-registry.ts";

const folder = mkdtempSync(join(tmpdir(), "havre-roles-"));
afterAll(() => rmSync(folder, { recursive: true }));
const users = join(folder, "users");
const basic = (name: string, password = name) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const minute = 60_000;
let now = systemClock.now();
const clock = { ...systemClock, now: () => now };

let registry: TestRegistry;
beforeAll(async () => {
  const hash = (name: string) => Bun.password.hash(name, { algorithm: "bcrypt", cost: 4 });
  const lines = ["root", "ann", "bob"].map(async (name) => `${name}:${await hash(name)}\n`);
  writeFileSync(users, (await Promise.all(lines)).join(""));
  registry = new TestRegistry({
    clock,
    settings: {
      users,
      token: { lifetimeMs: 5 * minute },
      groups: { team: ["ann"] },
      metrics: ["bob"],
      repositories: [
        { match: "**", roles: { admin: ["root"] }, immutable: [] },
        { match: "team/**", roles: { push: ["group:team"], pull: ["anonymous"] }, immutable: ["v*"] },
        { match: "inner/**", roles: { pull: ["authenticated"] }, immutable: [] },
      ],
    },
  });
});
afterAll(() => registry[Symbol.asyncDispose]());

const token = async (scope: string, headers: Record<string, string> = {}) => {
  const answer = await registry.send("GET", `/token?service=havre-registry&scope=${scope}`, undefined, headers);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { token: string }).token;
};
const status = async (method: string, path: string, headers: Record<string, string> = {}) =>
  (await registry.send(method, path, undefined, headers)).status;

test("who did not sign in is told where; who may not is told so", async () => {
  const base = await registry.send("GET", "/v2/");
  expect([base.status, base.headers.get("www-authenticate")]).toEqual([
    401,
    `Bearer realm="${registry.url}/token",service="havre-registry"`,
  ]);
  const push = await registry.send("POST", "/v2/team/app/blobs/uploads/");
  expect([push.status, push.headers.get("www-authenticate")]).toEqual([
    401,
    `Bearer realm="${registry.url}/token",service="havre-registry",scope="repository:team/app:pull,push"`,
  ]);
  expect(await codeOf(await registry.send("POST", "/v2/team/app/blobs/uploads/", undefined, basic("bob")))).toBe(
    "DENIED",
  );
  expect(await status("POST", "/v2/team/app/blobs/uploads/", basic("ann"))).toBe(202);
  expect(await status("POST", "/v2/team/app/blobs/uploads/", basic("ann", "wrong"))).toBe(401);
  // Anonymous pulls need no token; there is nothing yet.
  expect(await status("GET", "/v2/team/app/tags/list")).toBe(404);
  expect(await status("GET", "/v2/inner/app/tags/list")).toBe(401);
  expect(await status("GET", "/v2/inner/app/tags/list", basic("bob"))).toBe(404);
});

test("a token is for what it was asked for and its user may have, and no longer than it says", async () => {
  const push = await token("repository:team/app:pull,push,delete", basic("ann"));
  expect(await status("POST", "/v2/team/app/blobs/uploads/", bearer(push))).toBe(202);
  expect(await status("DELETE", "/v2/team/app/manifests/v1", bearer(push))).toBe(403);
  // It was not asked for that: a token that is would help.
  expect(await status("POST", "/v2/team/other/blobs/uploads/", bearer(push))).toBe(401);
  const nobody = await token("repository:team/app:pull,push");
  expect(await status("GET", "/v2/", bearer(nobody))).toBe(200);
  expect(await status("GET", "/v2/team/app/tags/list", bearer(nobody))).toBe(404);
  expect(await status("POST", "/v2/team/app/blobs/uploads/", bearer(nobody))).toBe(401);
  now += 7 * minute;
  expect(await status("POST", "/v2/team/app/blobs/uploads/", bearer(push))).toBe(401);
  const wrong = await registry.send("GET", "/token?scope=repository:team/app:pull", undefined, basic("ann", "no"));
  expect([wrong.status, await codeOf(wrong)]).toEqual([401, "UNAUTHORIZED"]);
  const form = new URLSearchParams({ grant_type: "password", username: "ann", password: "ann", scope: "" });
  const posted = await registry.send("POST", "/token", form.toString());
  expect(await posted.json()).toMatchObject({ expires_in: 300, access_token: expect.any(String) });
});

test("a token that was changed, or signed by nobody, is not taken", async () => {
  const good = await token("repository:team/app:push", basic("ann"));
  const [head = "", body = "", signature = ""] = good.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as { access: unknown };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const more = encode({ ...claims, access: [{ type: "repository", name: "x", actions: ["*"] }] });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const other = sign("sha256", Buffer.from(`${head}.${body}`), { key: privateKey, dsaEncoding: "ieee-p1363" });
  for (const bad of [
    `${head}.${more}.${signature}`,
    `${encode({ alg: "none" })}.${body}.`,
    `${encode({ alg: "none" })}.${body}.${signature}`,
    `${encode({ alg: "HS256" })}.${body}.${signature}`,
    `${head}.${body}.${other.toString("base64url")}`,
    `${head}.${body}`,
    "x",
  ]) {
    expect(await status("GET", "/v2/", bearer(bad))).toBe(401);
  }
  expect(await status("GET", "/v2/", bearer(good))).toBe(200);
});

test("lists show what may be pulled; immutable tags go only by an admin's hand", async () => {
  const push = async (repository: string, tag: string, layer: string, who: string) => {
    const send = (method: string, path: string, body?: string, headers = {}) =>
      registry.send(method, path, body, { ...basic(who), ...headers });
    const { digestOf } = await import("../../base/mod.ts");
    for (const blob of ["{}", layer])
      await send("POST", `/v2/${repository}/blobs/uploads/?digest=${digestOf(blob)}`, blob);
    const type = "application/vnd.oci.image.manifest.v1+json";
    const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf("{}"), size: 2 };
    const layers = [
      { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf(layer), size: layer.length },
    ];
    const text = JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers });
    return send("PUT", `/v2/${repository}/manifests/${tag}`, text, { "content-type": type });
  };
  expect((await push("team/app", "v1", "one", "ann")).status).toBe(201);
  expect((await push("team/app", "v1", "one", "ann")).status).toBe(201);
  const moved = await push("team/app", "v1", "two", "ann");
  expect([moved.status, await codeOf(moved)]).toEqual([409, "DENIED"]);
  expect((await push("inner/app", "v1", "one", "root")).status).toBe(201);
  expect((await push("secret/app", "v1", "one", "root")).status).toBe(201);
  const list = async (headers: Record<string, string>) =>
    ((await (await registry.send("GET", "/v2/_catalog", undefined, headers)).json()) as { repositories: string[] })
      .repositories;
  expect(await list(basic("root"))).toEqual(["inner/app", "secret/app", "team/app"]);
  expect(await list(basic("bob"))).toEqual(["inner/app", "team/app"]);
  expect(await list(bearer(await token("registry:catalog:*", basic("bob"))))).toEqual(["inner/app", "team/app"]);
  expect(await status("GET", "/v2/_catalog")).toBe(401);
  const page = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await registry.send("GET", path, undefined, headers);
    return `${answer.status} ${await answer.text()}`;
  };
  expect(await page("/")).toContain("team/app");
  expect(await page("/")).not.toContain("inner/app");
  expect(await page("/", basic("root"))).toContain("secret/app");
  expect(await page("/repositories/inner/app")).toStartWith("401");
  expect(await page("/repositories/secret/app", basic("bob"))).toStartWith("403");
  expect(await page("/repositories/team/app")).toContain("immutable");
  // A mount needs the right to pull where the blob is.
  const { digestOf } = await import("../../base/mod.ts");
  expect(
    await status("POST", `/v2/team/app/blobs/uploads/?mount=${digestOf("one")}&from=secret/app`, basic("ann")),
  ).toBe(202);
  expect(await status("DELETE", "/v2/team/app/manifests/v1", basic("ann"))).toBe(403);
  expect(await status("DELETE", "/v2/team/app/manifests/v1", basic("root"))).toBe(202);
});

test("metrics and upkeep are for those who are named", async () => {
  expect(await status("GET", "/metrics")).toBe(401);
  expect(await status("GET", "/metrics", basic("ann"))).toBe(403);
  const answer = await registry.send("GET", "/metrics", undefined, basic("bob"));
  expect(await answer.text()).toMatch(/^havre_registry_requests_total\{kind="base",method="GET",status="401"\} \d+$/m);
  expect(await status("POST", "/havre/v1/registry/collect", basic("bob"))).toBe(403);
  expect(await status("POST", "/havre/v1/registry/collect", { ...basic("root"), origin: "http://evil" })).toBe(403);
  expect(await status("POST", "/havre/v1/registry/collect", basic("root"))).toBe(200);
});

test("tokens of another server: its signature, its issuer, this service, and what they say", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = join(folder, "auth.pem");
  writeFileSync(key, publicKey.export({ format: "pem", type: "spki" }));
  const trust = { realm: "https://auth.example/token", service: "reg", issuer: "auth", keys: [key] };
  await using trusting = new TestRegistry({ settings: { trust } });
  const signed = (claims: object, header: object = { alg: "RS256" }, by: KeyObject = privateKey) => {
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${text}.${sign("sha256", Buffer.from(text), by).toString("base64url")}`;
  };
  const seconds = Math.floor(systemClock.now() / 1000);
  const access = [{ type: "repository", name: "a", actions: ["pull", "push"] }];
  const claims = { iss: "auth", aud: "reg", sub: "zoe", exp: seconds + 60, access };
  const begin = async (token: string, repository = "a") =>
    (await trusting.send("POST", `/v2/${repository}/blobs/uploads/`, undefined, bearer(token))).status;
  expect(await begin(signed(claims))).toBe(202);
  expect(await begin(signed({ ...claims, aud: ["other", "reg"] }))).toBe(202);
  expect(await begin(signed(claims), "b")).toBe(401);
  expect(await begin(signed({ ...claims, iss: "other" }))).toBe(401);
  expect(await begin(signed({ ...claims, aud: "other" }))).toBe(401);
  expect(await begin(signed({ ...claims, exp: seconds - 100 }))).toBe(401);
  expect(await begin(signed({ ...claims, nbf: seconds + 100 }))).toBe(401);
  expect(await begin(signed({ ...claims, access: "all" }))).toBe(401);
  const foreign = createPrivateKey(
    generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "pem", type: "pkcs8" }),
  );
  expect(await begin(signed(claims, { alg: "RS256" }, foreign))).toBe(401);
  const anonymous = await trusting.send("GET", "/v2/a/tags/list");
  expect([anonymous.status, anonymous.headers.get("www-authenticate")]).toEqual([
    401,
    'Bearer realm="https://auth.example/token",service="reg",scope="repository:a:pull"',
  ]);
});
