import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildxFolder, OwnRegistry, useEngine } from "./harness/mod.ts";

const engine = useEngine();
let registry: OwnRegistry;
let config = "";
let context = "";

const DOCKERFILE = `FROM bb AS made
RUN --mount=type=cache,target=/cache echo kept > /cache/file; head -c 16 /dev/urandom | md5sum > /random
FROM bb
COPY --from=made /random /
RUN --mount=type=cache,target=/cache cat /cache/file > /from-cache
`;

beforeAll(async () => {
  registry = await OwnRegistry.start(join(engine.folder, "registry"));
  config = mkdtempSync(join(engine.folder, "docker-config-"));
  writeFileSync(join(config, "config.json"), JSON.stringify({ cliPluginsExtraDirs: [buildxFolder()] }));
  context = mkdtempSync(join(engine.folder, "context-"));
});

afterAll(() => registry[Symbol.asyncDispose]());

beforeEach(() => {
  writeFileSync(join(context, "Dockerfile"), DOCKERFILE);
});

/** As on a machine that has never built anything. */
async function forgetAll(): Promise<void> {
  await engine.docker(["rmi", "-f", "e2e-cached"]);
  await engine.ok(["builder", "prune", "-af"]);
}

async function buildx(...flags: readonly string[]): Promise<string> {
  const args = ["build", "--progress=plain", "-t", "e2e-cached", ...flags, context];
  const { code, stderr } = await engine.docker(args, { env: { DOCKER_CONFIG: config, DOCKER_BUILDKIT: "1" } });
  if (code !== 0) throw new Error(stderr);
  return stderr;
}

async function havre(...flags: readonly string[]): Promise<string> {
  const { code, stderr } = await engine.havre(["build", "-t", "e2e-cached", ...flags, context]);
  if (code !== 0) throw new Error(stderr);
  return stderr;
}

const idOf = () => engine.inspect<string>("e2e-cached", "{{json .Id}}");
const inImage = (script: string) => engine.ok(["run", "--rm", "e2e-cached", "sh", "-c", script]);

for (const mode of ["min", "max"]) {
  test(`a cache at a registry, mode ${mode}, is all that another machine needs`, async () => {
    const ref = `${registry.host}/cache/${mode}`;
    await buildx("--cache-to", `type=registry,ref=${ref},mode=${mode}`);
    const [id, random] = [await idOf(), await inImage("cat /random")];
    await forgetAll();
    const told = await buildx("--cache-from", `type=registry,ref=${ref}`);
    expect(told.match(/CACHED/g)?.length).toBeGreaterThanOrEqual(3);
    expect(await idOf()).toBe(id);
    expect(await inImage("cat /random /from-cache")).toBe(`${random}\nkept`);
    await forgetAll();
  });
}

test("what changed is built on what did not, and has the cache folders as they were", async () => {
  const ref = `${registry.host}/cache/changed`;
  await havre("--cache-to", `type=registry,ref=${ref},mode=max`);
  const random = await inImage("cat /random");
  await forgetAll();
  writeFileSync(
    join(context, "Dockerfile"),
    `${DOCKERFILE}RUN --mount=type=cache,target=/cache cat /cache/file > /later; cat /random >> /later\n`,
  );
  await havre("--cache-from", `type=registry,ref=${ref}`);
  expect(await inImage("cat /later")).toBe(`kept\n${random}`);
  await forgetAll();
});

test("a cache in a folder of the client", async () => {
  const folder = join(engine.folder, "local-cache");
  await buildx("--cache-to", `type=local,dest=${folder},mode=max`);
  const id = await idOf();
  expect(readdirSync(folder)).toContain("index.json");
  await forgetAll();
  await buildx("--cache-from", `type=local,src=${folder}`);
  expect(await idOf()).toBe(id);
  await forgetAll();
});

const clients = { buildx, havre };

for (const [writer, reader] of [
  ["havre", "havre"],
  ["havre", "buildx"],
  ["buildx", "havre"],
] as const) {
  test(`a cache in a folder that ${writer} wrote is read by ${reader}, with cache folders`, async () => {
    const folder = join(mkdtempSync(join(engine.folder, "folder-")), "cache");
    await clients[writer]("--cache-to", `type=local,dest=${folder},mode=max`);
    const [id, random] = [await idOf(), await inImage("cat /random")];
    await forgetAll();
    await clients[reader]("--cache-from", `type=local,src=${folder}`);
    // Of the result nothing was made again; histories of different clients say the same.
    expect(await inImage("cat /random /from-cache")).toBe(`${random}\nkept`);
    expect(await idOf()).toBe(id);
    // What the folder has is not sent again, and what is in it are whole files.
    const blobs = join(folder, "blobs/sha256");
    const names = readdirSync(blobs);
    const inodes = () => names.map((name) => statSync(join(blobs, name)).ino);
    const before = inodes();
    await havre("--cache-to", `type=local,dest=${folder},mode=max`);
    expect(inodes()).toEqual(before);
    for (const name of readdirSync(blobs))
      expect(
        createHash("sha256")
          .update(readFileSync(join(blobs, name)))
          .digest("hex"),
      ).toBe(name);
    await forgetAll();
  });
}

test("a folder that has lost files, or is none, stops no build; one that cannot be written does, and leaves nothing half", async () => {
  const folder = join(mkdtempSync(join(engine.folder, "folder-")), "cache");
  await havre("--cache-from", `type=local,src=${folder}`, "--cache-to", `type=local,dest=${folder}`);
  const blobs = join(folder, "blobs/sha256");
  for (const name of readdirSync(blobs)) if (readFileSync(join(blobs, name))[0] === 0x1f) rmSync(join(blobs, name));
  await forgetAll();
  await havre("--cache-from", `type=local,src=${folder}`);
  expect(await inImage("cat /from-cache")).toBe("kept");
  for (const name of readdirSync(blobs)) rmSync(join(blobs, name));
  await forgetAll();
  await havre("--cache-from", `type=local,src=${folder}`);
  const file = join(folder, "file");
  writeFileSync(file, "");
  await expect(havre("--cache-to", `type=local,dest=${file}`)).rejects.toThrow("The cache cannot be written");
  await expect(havre("--cache-to", "type=local")).rejects.toThrow("dest is required for local cache");
  await expect(havre("--cache-from", "type=local")).rejects.toThrow("local cache importer requires src");
  await forgetAll();
});

test("a cache that an image carries, for every client", async () => {
  const name = `${registry.host}/inline:1`;
  await buildx("--cache-to", "type=inline", "-t", name);
  await engine.ok(["push", name]);
  const random = await inImage("cat /random");
  await engine.docker(["rmi", "-f", name]);
  await forgetAll();
  await havre("--cache-from", name);
  expect(await inImage("cat /random")).toBe(random);
  await forgetAll();
  // The classic API looks for the image on this machine first.
  const flags = ["--cache-from", name, "-t", "e2e-cached", context];
  await engine.ok(["build", ...flags], { env: { DOCKER_BUILDKIT: "0" } });
  expect(await inImage("cat /random")).toBe(random);
  await forgetAll();
});

test("a cache that is not there, or is none, stops no build; one that cannot be written does", async () => {
  const nowhere = "127.0.0.1:1/nothing";
  await buildx("--cache-from", `type=registry,ref=${nowhere}`, "--cache-from", `${registry.host}/no/such`);
  const failing = buildx("--cache-to", `type=registry,ref=${nowhere}`);
  await expect(failing).rejects.toThrow(/connection refused/);
  await buildx("--cache-to", `type=registry,ref=${nowhere},ignore-error=true`);
  await expect(buildx("--cache-to", "type=other")).rejects.toThrow('unknown cache exporter: "other"');
  const document = JSON.parse(readFileSync(join(engine.folder, "local-cache/index.json"), "utf8"));
  expect(document.manifests).toHaveLength(1);
  await forgetAll();
});
