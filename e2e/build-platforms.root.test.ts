import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildxFolder, OwnRegistry, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const BOTH = ["--platform", "linux/amd64,linux/arm64"];
let registry: OwnRegistry;
let config = "";

interface Index {
  readonly manifests: readonly { readonly digest: string; readonly platform: { readonly architecture: string } }[];
}

beforeAll(async () => {
  registry = await OwnRegistry.start(join(engine.folder, "registry"));
  config = mkdtempSync(join(engine.folder, "docker-config-"));
  writeFileSync(join(config, "config.json"), JSON.stringify({ cliPluginsExtraDirs: [buildxFolder()] }));
});

afterAll(() => registry[Symbol.asyncDispose]());

function context(dockerfile: string | Uint8Array, files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(engine.folder, "context-"));
  for (const [name, content] of Object.entries({ ...files, Dockerfile: dockerfile })) {
    writeFileSync(join(folder, name), content, { mode: 0o755 });
  }
  return folder;
}

// Made on this machine, for another one.
const CROSS = `FROM --platform=$BUILDPLATFORM bb AS made
ARG TARGETPLATFORM BUILDPLATFORM
RUN echo "$TARGETPLATFORM on $BUILDPLATFORM" > /which
FROM scratch
COPY --from=made /which /
`;

async function indexOf(path: string): Promise<Index> {
  const headers = { accept: "application/vnd.oci.image.index.v1+json" };
  return (await (await fetch(`http://${registry.host}/v2/${path}`, { headers })).json()) as Index;
}

for (const client of ["havre", "buildx"] as const) {
  test(`an image for two platforms under one name, by ${client}; pushed, pulled, removed`, async () => {
    const name = `${registry.host}/${client}:1`;
    const args = ["build", ...BOTH, "-t", name, context(CROSS)];
    const env = { DOCKER_CONFIG: config, DOCKER_BUILDKIT: "1" };
    const built = client === "havre" ? await engine.havre(args) : await engine.docker(args, { env });
    expect(built).toMatchObject({ code: 0 });
    await engine.ok(["push", name]);
    const { manifests } = await indexOf(`${client}/manifests/1`);
    expect(manifests.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"]);
    await engine.ok(["rmi", name]);
    expect(await engine.ok(["images", "-aq", `${registry.host}/${client}`])).toBe("");
    await engine.ok(["pull", "--platform", "linux/arm64", name]);
    expect(await engine.inspect<string>(name, "{{json .Architecture}}")).toBe("arm64");
    // A stage may stand on both.
    const out = join(engine.folder, `out-${client}`);
    const again = await engine.havre(["build", ...BOTH, "-o", out, context(`FROM ${name}\n`)]);
    expect(again.code).toBe(0);
    const which = (platform: string) => readFileSync(join(out, platform, "which"), "utf8");
    expect(which("linux_amd64")).toBe("linux/amd64 on linux/amd64\n");
    expect(which("linux_arm64")).toBe("linux/arm64 on linux/amd64\n");
    expect(await engine.inspect<string>(name, "{{json .Architecture}}")).toBe("amd64");
    await engine.ok(["rmi", "-f", name]);
    expect(await engine.ok(["images", "-aq", `${registry.host}/${client}`])).toBe("");
  });
}

test("a name for two platforms is saved with both, as one index, and is the same when it is loaded again", async () => {
  const name = `${registry.host}/saved:1`;
  expect(await engine.havre(["build", ...BOTH, "-t", name, context(CROSS)])).toMatchObject({ code: 0 });
  await engine.ok(["push", name]);
  const pushed = await indexOf("saved/manifests/1");
  const [first, second] = [join(engine.folder, "first.tar"), join(engine.folder, "second.tar")];
  await engine.ok(["save", "-o", first, name]);
  await engine.ok(["rmi", "-f", name]);
  expect(await engine.ok(["images", "-aq", `${registry.host}/saved`])).toBe("");
  expect(await engine.ok(["load", "-i", first])).toBe(`Loaded image: ${name}`);
  await engine.ok(["save", "-o", second, name]);
  const index = (archive: string) => execFileSync("tar", ["-xOf", archive, "index.json"], { encoding: "utf8" });
  expect(index(first)).toContain("application/vnd.oci.image.index.v1+json");
  expect(index(second)).toBe(index(first));
  await engine.ok(["tag", name, `${registry.host}/loaded:1`]);
  await engine.ok(["push", `${registry.host}/loaded:1`]);
  expect(await indexOf("loaded/manifests/1")).toEqual(pushed);
  await engine.ok(["rmi", "-f", name, `${registry.host}/loaded:1`]);
  expect(await engine.ok(["images", "-aq"])).not.toContain(pushed.manifests[1]?.digest.slice(7, 19) ?? "none");
});

test("a program for another machine says what is missing", async () => {
  // The head of an executable for arm64 is all that the kernel looks at.
  const elf = new Uint8Array(4096);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.set([2, 0, 183, 0, 1], 16);
  const folder = context('FROM scratch\nCOPY tool /tool\nRUN ["/tool"]\n', { tool: elf });
  const { code, stderr } = await engine.havre(["build", "--platform", "linux/arm64", folder]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/exec format error: this machine runs no programs for linux\/arm64/);
  expect(stderr).toContain("qemu-user-static");
});
