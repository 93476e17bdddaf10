import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DebianRegistry, freePort, run, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const ok = engine.ok.bind(engine);

let open: DebianRegistry;
let closed: DebianRegistry;

beforeAll(async () => {
  open = new DebianRegistry(join(engine.folder, "open"), await freePort(), false);
  closed = new DebianRegistry(join(engine.folder, "closed"), await freePort(), true);
  await Promise.all([open.ready(), closed.ready()]);
});
afterAll(async () => {
  await Promise.all([open.end(), closed.end()]);
});

const havre = (args: readonly string[], env: Record<string, string> = {}, input?: string) =>
  engine.havre(args, { env, ...(input === undefined ? {} : { input }) });

test("docker pushes and pulls; the image that comes back runs and has the same digests", async () => {
  const name = `${open.host}/e2e/app:1`;
  await ok(["tag", "bb", name]);
  const before = await engine.inspect<{ Id: string }>("bb");
  const pushed = await ok(["push", name]);
  const digest = /1: digest: (sha256:\S+) size: \d+$/.exec(pushed)?.[1];
  expect(digest).toBeDefined();
  expect(await ok(["push", name])).toContain("Layer already exists");
  await ok(["rmi", name]);
  expect(await ok(["pull", name])).toContain(`Digest: ${digest}`);
  const after = await engine.inspect<{ Id: string; RepoDigests: string[] }>(name);
  expect(after.Id).toBe(before.Id);
  expect(after.RepoDigests).toContain(`${open.host}/e2e/app@${digest}`);
  expect(await ok(["run", "--rm", "--net", "none", name, "echo", "hello"])).toBe("hello");
  expect((await engine.docker(["pull", `${open.host}/e2e/app@${digest}`])).code).toBe(0);
  const raw = await run("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${name}`]);
  expect(JSON.parse(raw.stdout)).toMatchObject({ schemaVersion: 2 });
});

test("a run pulls what is missing, whatever the client", async () => {
  const name = `${open.host}/e2e/missing:1`;
  await ok(["tag", "bb", name]);
  await ok(["push", "-q", name]);
  await ok(["rmi", name]);
  expect(await ok(["run", "--rm", "--net", "none", name, "echo", "one"])).toBe("one");
  await ok(["rmi", name]);
  const started = await havre(["run", "--rm", "--net", "none", name, "echo", "two"]);
  expect(started.stdout).toBe("two\n");
  expect(started.stderr).toContain(`Unable to find image '${name}' locally`);
});

test("a registry that wants a sign-in gets it from where docker login or havre login put it", async () => {
  const name = `${closed.host}/e2e/app:1`;
  const config = { DOCKER_CONFIG: join(engine.folder, "config") };
  await ok(["tag", "bb", name]);
  expect((await engine.docker(["push", name])).stderr).toContain("no basic auth credentials");
  const wrong = await havre(["login", "-u", "ann", "--password-stdin", closed.host], config, "no\n");
  expect(wrong.code).toBe(1);
  const right = await havre(["login", "-u", "ann", "--password-stdin", closed.host], config, "secret\n");
  expect(right.stdout).toBe("Login Succeeded\n");
  expect(readFileSync(join(config.DOCKER_CONFIG, "config.json"), "utf8")).toContain(closed.host);
  expect((await havre(["push", "-q", name], config)).stdout).toBe(`${name}\n`);
  await ok(["rmi", name]);
  expect((await havre(["pull", name])).stderr).toContain("pull access denied");
  const pulled = await havre(["pull", name], config);
  expect(pulled.stdout).toContain(`Status: Downloaded newer image for ${name}`);
  expect((await havre(["logout", closed.host], config)).stdout).toBe(`Removing login credentials for ${closed.host}\n`);
});

test("a byte flipped at the registry stops the pull", async () => {
  const name = `${open.host}/e2e/flip:1`;
  await ok(["tag", "bb", name]);
  await ok(["push", "-q", name]);
  await ok(["rmi", name]);
  const layer = largestBlob(join(open.folder, "data/docker/registry/v2/blobs/sha256"));
  const honest = readFileSync(layer);
  const lie = Buffer.from(honest);
  lie[5000] = (lie[5000] ?? 0) ^ 1;
  // The same content may be here under another name: it must not be.
  const hex = layer.split("/").at(-2) ?? "";
  rmSync(join(engine.own.root, "content/sha256", hex.slice(0, 2), hex));
  writeFileSync(layer, lie);
  const refused = await engine.docker(["pull", name]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("is not what was promised");
  writeFileSync(layer, honest);
  expect(await ok(["pull", name])).toContain("Downloaded newer image");
});

function largestBlob(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith("/data"));
  const sized = files.map((path) => ({ path: join(folder, path), size: readFileSync(join(folder, path)).length }));
  return sized.sort((a, b) => b.size - a.size)[0]?.path ?? "";
}
