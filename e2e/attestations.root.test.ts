import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildxFolder, OwnRegistry, run, useEngine } from "./harness/mod.ts";

const engine = useEngine();
let registry: OwnRegistry;
let config = "";
let context = "";
let name = "";
let commit = "";

interface Provenance {
  readonly buildDefinition: {
    readonly externalParameters: { readonly configSource: object; readonly request: { readonly requestedBy?: string } };
    readonly resolvedDependencies: readonly { readonly uri: string; readonly digest: object }[];
  };
  readonly runDetails: { readonly builder: { readonly id: string }; readonly metadata: { readonly startedOn: string } };
}

beforeAll(async () => {
  registry = await OwnRegistry.start(join(engine.folder, "registry"));
  name = `${registry.host}/said:1`;
  config = mkdtempSync(join(engine.folder, "docker-config-"));
  writeFileSync(join(config, "config.json"), JSON.stringify({ cliPluginsExtraDirs: [buildxFolder()] }));
  context = mkdtempSync(join(engine.folder, "context-"));
  mkdirSync(join(context, "db"));
  writeFileSync(join(context, "db/installed"), "P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\n");
  writeFileSync(join(context, "Dockerfile"), "FROM bb\nARG SECRET\nCOPY db /lib/apk/db\n");
  const git = async (...args: readonly string[]) => (await run("git", ["-C", context, ...args])).stdout.trim();
  await git("init", "-q");
  await git("remote", "add", "origin", "https://user:password@example.invalid/r.git");
  await git("add", ".");
  await git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x");
  commit = await git("rev-parse", "HEAD");
});

afterEach(() => engine.docker(["rmi", "-f", name]));
afterAll(() => registry[Symbol.asyncDispose]());

async function json<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await engine.havre(args);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

const registryJson = async <T>(path: string): Promise<T> =>
  (await (await fetch(`http://${registry.host}/v2/said/${path}`)).json()) as T;

test("how it was built and what is in it goes with an image, and is found again where it was pulled", async () => {
  const built = await engine.havre([
    "build",
    "--sbom",
    "--provenance",
    "--build-arg",
    "SECRET=hidden",
    "-t",
    name,
    context,
  ]);
  expect(built.code).toBe(0);
  await engine.ok(["push", name]);
  await engine.ok(["rmi", "-f", name]);
  await engine.ok(["pull", name]);
  const said = await json<Provenance>("image", "provenance", name);
  const { externalParameters, resolvedDependencies } = said.buildDefinition;
  expect(externalParameters.configSource).toEqual({
    uri: "https://example.invalid/r.git",
    digest: { sha1: commit },
    path: "Dockerfile",
  });
  expect(externalParameters.request.requestedBy).toMatch(/.@./);
  expect(resolvedDependencies[0]).toEqual({
    uri: expect.stringContaining("pkg:docker/docker.io/library/bb@latest"),
    digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  expect(JSON.stringify(said)).not.toContain("hidden");
  const bill = await json<object>("image", "sbom", name);
  expect(JSON.stringify(bill)).toContain("pkg:apk/unknown/musl@1.2.4-r2?arch=x86_64");
  const cyclone = await json<{ readonly bomFormat: string }>("image", "sbom", "--format", "cyclonedx", name);
  expect(cyclone.bomFormat).toBe("CycloneDX");
  const [digest = ""] = (await engine.inspect<string[]>(name, "{{json .RepoDigests}}")).map((one) => one.split("@")[1]);
  const referrers = await registryJson<{ readonly manifests: readonly { readonly artifactType: string }[] }>(
    `referrers/${digest}`,
  );
  expect(referrers.manifests.map(({ artifactType }) => artifactType).sort()).toEqual([
    "application/spdx+json",
    "application/vnd.cyclonedx+json",
    "application/vnd.in-toto+json",
  ]);
});

test("a bill of materials is made when nobody gave one; how an image was built cannot be", async () => {
  expect((await engine.havre(["build", "-t", name, context])).code).toBe(0);
  expect(JSON.stringify(await json<object>("image", "sbom", name))).toContain("musl");
  const { code, stderr } = await engine.havre(["image", "provenance", name]);
  expect(code).toBe(1);
  expect(stderr).toContain(`Nothing is said about how ${name} was built`);
});

test("BuildKit's clients get what they ask for in an index with the image", async () => {
  const env = { DOCKER_CONFIG: config, DOCKER_BUILDKIT: "1" };
  await engine.ok(["build", "-q", "--sbom=true", "--provenance=mode=max", "-t", name, context], { env });
  await engine.ok(["push", name]);
  const format = (what: string) =>
    engine.ok(["buildx", "imagetools", "inspect", "--format", `{{json .${what}}}`, name], { env });
  const { SLSA } = JSON.parse(await format("Provenance")) as { readonly SLSA: Provenance };
  expect(SLSA.buildDefinition.externalParameters.configSource).toMatchObject({ digest: { sha1: commit } });
  expect(await format("SBOM")).toContain("pkg:apk/unknown/musl@1.2.4-r2");
  // What stands in the index is no image for anybody.
  await engine.ok(["rmi", "-f", name]);
  await engine.ok(["pull", name]);
  expect(await engine.ok(["run", "--rm", name, "cat", "/lib/apk/db/installed"])).toContain("musl");
  await engine.ok(["build", "-q", "-t", name, context], { env });
  await engine.ok(["push", name]);
  const plain = await registryJson<{ readonly config?: object }>("manifests/1");
  expect(plain.config).toBeDefined();
});
