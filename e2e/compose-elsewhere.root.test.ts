import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dockerCompose, OwnRegistry, run, useEngine } from "./harness/mod.ts";

setDefaultTimeout(60_000);

const engine = useEngine();

function folderWith(name: string, texts: Readonly<Record<string, string>>): string {
  const folder = join(engine.folder, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(texts)) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

// A test that fails leaves its project: the next one finds nothing of it.
afterEach(async () => {
  const left = await engine.ok(["ps", "-aq"]);
  if (left !== "") await engine.ok(["rm", "-f", ...left.split("\n")]);
  await engine.ok(["network", "prune", "-f"]);
});

/** Each test has copies of its own. */
const cacheOf = (name: string) => ({ XDG_CACHE_HOME: join(engine.folder, `${name}-cache`) });

async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
  const { code, stdout, stderr } = await run("git", [...who, ...args], { cwd });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

test("files of a repository are included and extended, at a commit, a branch or a tag, and lead nowhere else", async () => {
  const SLEEP = "image: bb, init: true, command: [sleep, '1000'], stop_signal: SIGKILL";
  const repository = folderWith("repository", {
    "compose.yaml": `services: {web: {${SLEEP}, env_file: web.env}}`,
    "web.env": "FROM=first\n",
    "sub/compose.yml": `services: {other: {${SLEEP}, volumes: ["./data:/data:ro"]}}`,
    "sub/data/here": "in the repository",
  });
  symlinkSync("/etc/passwd", join(repository, "out.yaml"));
  await git(repository, "init", "-q", "-b", "main");
  await git(repository, "add", ".");
  await git(repository, "commit", "-q", "-m", "first");
  const first = await git(repository, "rev-parse", "HEAD");
  writeFileSync(join(repository, "web.env"), "FROM=second\n");
  await git(repository, "commit", "-q", "-a", "-m", "second");
  await git(repository, "tag", "-a", "-m", "annotated", "v2");
  const at = `file://${repository}`;
  const cwd = folderWith("uses", {
    "compose.yaml": `
include: ["${at}#${first}", {path: "${at}#main:sub"}]
services:
  mine: {extends: {file: "${at}#v2:compose.yaml", service: web}, depends_on: [web]}
`,
  });
  const havre = (...args: string[]) => engine.havre(args, { cwd, env: cacheOf("git") });
  const up = await havre("up", "-d");
  expect([up.code, up.stdout]).toEqual([0, ""]);
  expect(up.stderr.match(/Fetching file:/g)).toHaveLength(2);
  const from = (service: string) => engine.ok(["exec", `uses-${service}-1`, "sh", "-c", "echo $FROM"]);
  expect(await from("web")).toBe("first");
  expect(await from("mine")).toBe("second");
  expect(await engine.ok(["exec", "uses-other-1", "cat", "/data/here"])).toBe("in the repository");
  const again = await havre("up", "-d");
  expect([again.code, again.stderr]).toEqual([0, ""]);
  expect((await havre("down", "-v", "-t", "0")).code).toBe(0);

  const failing: readonly (readonly [string, RegExp])[] = [
    [`${at}#gone`, /repository does not contain ref gone/],
    [`${at}#main:missing.yaml`, /no such file in the repository/],
    [`${at}#main:out.yaml`, /leads out of the repository/],
    [`${at}#main:../..`, /no compose.yaml in the repository|leads out/],
    ["file:///no/repository", /failed to fetch file:\/\/\/no\/repository: /],
  ];
  for (const [address, message] of failing) {
    writeFileSync(join(cwd, "compose.yaml"), `include: ["${address}"]`);
    const { code, stderr } = await havre("config", "--quiet");
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  }
});

test("a project is published to a registry, and brought up from it, by docker compose too", async () => {
  await using registry = await OwnRegistry.start(join(engine.folder, "registry"));
  const cwd = folderWith("published", {
    "compose.yaml":
      'name: shared\nservices: {web: {image: bb, init: true, command: [sleep, "1000"], labels: {a: one}}}',
    "compose.override.yaml": "services: {web: {stop_signal: SIGKILL, labels: {a: two}}}",
  });
  const havre = (...args: string[]) => engine.havre(args, { cwd, env: cacheOf("oci") });
  const reference = `${registry.host}/app:1`;
  const dry = await havre("compose", "--dry-run", "alpha", "publish", reference);
  expect([dry.code, dry.stdout]).toEqual([0, `DRY-RUN MODE -  ${reference} published\n`]);
  const missing = await havre("config", "-f", `oci://${reference}`);
  expect(missing.code).not.toBe(0);
  expect(missing.stderr).toContain("not found in the registry");
  const published = await havre("compose", "alpha", "publish", reference);
  expect([published.code, published.stdout]).toEqual([0, `${reference} published\n`]);

  const up = await havre("up", "-d", "-f", `oci://${reference}`);
  expect(up.code).toBe(0);
  expect(await engine.ok(["inspect", "shared-web-1", "--format", '{{index .Config.Labels "a"}}'])).toBe("two");
  const theirs = await run(dockerCompose(), ["-f", `oci://${reference}`, "up", "-d"], {
    cwd,
    env: { ...engine.env, ...cacheOf("oci"), COMPOSE_EXPERIMENTAL_OCI_REMOTE: "1" },
  });
  expect([theirs.code, theirs.stderr]).toEqual([0, expect.stringContaining("shared-web-1  Running")]);
  expect((await havre("compose", "-p", "shared", "down", "-t", "0")).code).toBe(0);

  // What is no project is told as such.
  const manifest = await fetch(`http://${registry.host}/v2/app/manifests/1`, {
    headers: { Accept: "application/vnd.oci.image.manifest.v1+json" },
  });
  const { layers, ...rest } = (await manifest.json()) as { layers: { annotations: Record<string, string> }[] };
  expect(layers.map(({ annotations }) => annotations["com.docker.compose.file"])).toEqual([
    "compose.yaml",
    "compose.override.yaml",
  ]);
  await fetch(`http://${registry.host}/v2/app/manifests/none`, {
    method: "PUT",
    headers: { "Content-Type": "application/vnd.oci.image.manifest.v1+json" },
    body: JSON.stringify({ ...rest, layers: [] }),
  });
  const other = await havre("config", "-f", `oci://${registry.host}/app:none`);
  expect(other.stderr).toContain("is no Compose project");
});

test("output is that of the services named; of those they depend on where it is asked for", async () => {
  const cwd = folderWith("attached", {
    "compose.yaml": `
services:
  web: {image: bb, command: [echo, said by web], depends_on: {db: {condition: service_completed_successfully}}}
  db: {image: bb, command: [echo, said by db]}
`,
  });
  const one = await engine.havre(["up", "web"], { cwd });
  expect(one.stdout).toContain("said by web");
  expect(one.stdout).not.toContain("said by db");
  const both = await engine.havre(["up", "--force-recreate", "--attach-dependencies", "web"], { cwd });
  expect(both.stdout).toContain("said by web");
  expect(both.stdout).toContain("said by db");
  expect((await engine.havre(["down"], { cwd })).code).toBe(0);
});

test("an image is built for every platform its service lists", async () => {
  await using registry = await OwnRegistry.start(join(engine.folder, "platforms-registry"));
  const image = `${registry.host}/many:1`;
  const cwd = folderWith("platforms", {
    "compose.yaml": `services: {web: {image: "${image}", build: {context: ., platforms: [linux/amd64, linux/arm64]}}}`,
    Dockerfile: "FROM scratch\nCOPY Dockerfile /\n",
  });
  const built = await engine.havre(["compose", "build", "--push"], { cwd });
  expect([built.code, built.stderr]).toEqual([0, expect.stringContaining("Built")]);
  const answer = await fetch(`http://${registry.host}/v2/many/manifests/1`, {
    headers: { Accept: "application/vnd.oci.image.index.v1+json" },
  });
  const { manifests } = (await answer.json()) as { manifests: { platform: { architecture: string } }[] };
  expect(manifests.map(({ platform }) => platform.architecture).sort()).toEqual(["amd64", "arm64"]);
});
