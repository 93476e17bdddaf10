import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync, spawn } from "node:child_process";
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { buildxFolder, dockerCli, type Outcome, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const ok = engine.ok.bind(engine);
let config = "";

beforeAll(() => {
  config = mkdtempSync(join(engine.folder, "docker-config-"));
  writeFileSync(join(config, "config.json"), JSON.stringify({ cliPluginsExtraDirs: [buildxFolder()] }));
});

afterEach(async () => {
  await engine.docker(["rmi", "-f", "e2e-kit"]);
});

/** Files of a build context by path; the Dockerfile among them. */
function context(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(engine.folder, "context-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** `docker build` as it is today: buildx, through the engine's own BuildKit service. */
function build(folder: string, ...flags: readonly string[]): Promise<Outcome> {
  const env = { DOCKER_CONFIG: config, DOCKER_BUILDKIT: "1" };
  return engine.docker(["build", "--progress=plain", "-t", "e2e-kit", ...flags, folder], { env });
}

/** What it told, which goes to standard error. */
async function built(folder: string, ...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await build(folder, ...flags);
  if (code !== 0) throw new Error(`docker build exited with ${code}: ${stdout}${stderr}`);
  return stderr;
}

async function refused(folder: string, ...flags: readonly string[]): Promise<string> {
  const { code, stderr } = await build(folder, ...flags);
  expect(code).toBe(1);
  return stderr;
}

function inImage(script: string): Promise<string> {
  return ok(["run", "--rm", "--entrypoint", "/bin/sh", "e2e-kit", "-c", script]);
}

describe("docker build with buildx", () => {
  test("builds stages from the files that .dockerignore leaves, names the image and finds it again", async () => {
    await engine.loadBusybox();
    const folder = context({
      Dockerfile: `
        FROM bb AS make
        ARG WHO
        RUN echo "made for $WHO" > /out
        FROM bb AS unused
        RUN exit 1
        FROM bb
        COPY --from=make /out /srv/
        COPY . /srv/ctx/
        RUN echo 'said aloud'`,
      ".dockerignore": "*.log\n!keep.log\nsecret\n",
      "ünïcode/fïle.txt": "content",
      "a.log": "",
      "keep.log": "",
      "secret/key": "",
      empty: "",
    });
    symlinkSync("empty", join(folder, "link"));
    const first = await built(folder, "--build-arg", "WHO=me", "--label", "a=b");
    expect(first).toMatch(/^#\d+ \[internal\] load build definition from Dockerfile$/m);
    expect(first).toMatch(/^#\d+ \[internal\] load metadata for docker\.io\/library\/bb:latest$/m);
    expect(first).toMatch(/^#\d+ [\d.]+ said aloud$/m);
    expect(first).toMatch(/^#\d+ naming to docker\.io\/library\/e2e-kit:latest done$/m);
    expect(first).not.toContain("RUN exit 1");
    expect(await inImage("cat /srv/out; cd /srv/ctx; find . -type f -o -type l | sort; readlink link")).toBe(
      "made for me\n./.dockerignore\n./Dockerfile\n./empty\n./keep.log\n./link\n./ünïcode/fïle.txt\nempty",
    );
    expect(await engine.inspect("e2e-kit", "{{json .Config.Labels}}")).toEqual({ a: "b" });
    utimesSync(join(folder, "empty"), 1, 1);
    const again = await built(folder, "--build-arg", "WHO=me", "--label", "a=b");
    expect(again.match(/^#\d+ CACHED$/gm)?.length).toBe(6);
  });

  test("a step that fails is shown with its output, its lines and its code", async () => {
    await engine.loadBusybox();
    const text = await refused(context({ Dockerfile: "FROM bb\nRUN echo before && \\\n  exit 7\n" }));
    expect(text).toMatch(
      /^#\d+ ERROR: process "\/bin\/sh -c echo before && {3}exit 7" did not complete successfully: exit code: 7$/m,
    );
    expect(text).toMatch(/^[\d.]+ before$/m);
    expect(text).toContain(
      "Dockerfile:2\n--------------------\n   1 |     FROM bb\n   2 | >>> RUN echo before && \\\n   3 | >>>   exit 7",
    );
    // The one or the other, as the client's two ways of hearing of it go.
    expect(text).toMatch(
      /ERROR: failed to (?:solve|run Build function): process .* did not complete successfully: exit code: 7\n$/,
    );
  });

  test.each([
    ["FROM bb\nRNU x\n", "dockerfile parse error on line 2: unknown instruction: RNU (did you mean RUN?)"],
    ["FROM bb\nCOPY --from=none.invalid/a x y\n", "none.invalid/a: failed to resolve source metadata"],
    ["FROM bb\nCOPY absent /\n", '"/absent": not found'],
    ["", "the Dockerfile cannot be empty"],
  ])("%j is refused: %s", async (text, message) => {
    await engine.loadBusybox();
    const told = await refused(context({ Dockerfile: text }));
    expect(told.trimEnd().split("\n").at(-1)).toContain(message);
  });

  test("secrets reach the step that asks for them, and nothing else", async () => {
    await engine.loadBusybox();
    const secret = engine.file("kit-secret", "hush");
    const folder = context({
      Dockerfile: `
        FROM bb
        RUN --mount=type=secret,id=s,required cat /run/secrets/s > /seen
        RUN --mount=type=secret,id=s,env=S echo "$S" >> /seen
        RUN ls /run/secrets >> /seen 2>&1 || true`,
    });
    await built(folder, "--secret", `id=s,src=${secret}`);
    expect(await inImage("cat /seen")).toMatch(/^hushhush\n/);
    expect(await inImage("ls -A /run 2>/dev/null; env")).not.toContain("hush");
    expect(await ok(["history", "--no-trunc", "e2e-kit"])).not.toContain("hush");
    const [, ...others] = (await ok(["history", "--format", "{{.ID}}", "e2e-kit"])).split("\n");
    expect(new Set(others)).toEqual(new Set(["<missing>"]));
    expect(await refused(folder, "--no-cache")).toContain("secret s: not found");
  });

  test("named contexts: a folder, and another image for a name", async () => {
    await engine.loadBusybox();
    const other = context({ file: "from another folder" });
    const folder = context({ Dockerfile: "FROM base\nCOPY --from=extra file /file\n" });
    await built(folder, "--build-context", `extra=${other}`, "--build-context", "base=docker-image://bb");
    expect(await inImage("cat /file")).toBe("from another folder");
  });

  test("the id of the image and what is known of it go into files", async () => {
    await engine.loadBusybox();
    const folder = context({ Dockerfile: "FROM bb\nRUN true\n" });
    const [idFile, metadata] = [join(folder, "id"), join(folder, "metadata")];
    await built(folder, "--iidfile", idFile, "--metadata-file", metadata);
    const id = await engine.inspect<string>("e2e-kit", "{{json .Id}}");
    expect(await Bun.file(idFile).text()).toBe(id);
    expect(await Bun.file(metadata).json()).toMatchObject({
      "containerimage.config.digest": id,
      "image.name": "docker.io/library/e2e-kit:latest",
    });
  });

  test("results go into a folder or an archive of the client, without an image", async () => {
    await engine.loadBusybox();
    const folder = context({
      Dockerfile: `
        FROM bb AS make
        RUN mkdir -p /e/d && printf hi > /e/d/f && chmod 4750 /e/d/f && ln /e/d/f /e/hard && ln -s d/f /e/soft
        FROM scratch
        COPY --from=make /e /e`,
    });
    const [out, tar] = [join(folder, "out"), join(folder, "out.tar")];
    const before = await ok(["images", "-aq"]);
    await built(folder, "--output", out);
    expect(readFileSync(join(out, "e/soft"), "utf8")).toBe("hi");
    expect(statSync(join(out, "e/d/f")).mode & 0o7777).toBe(0o4750);
    expect(statSync(join(out, "e/hard")).ino).toBe(statSync(join(out, "e/d/f")).ino);
    await built(folder, "--output", `type=tar,dest=${tar}`);
    const listing = execFileSync("tar", ["-tf", tar], { encoding: "utf8" });
    expect(listing.trim().split("\n").toSorted()).toEqual(["e/", "e/d/", "e/d/f", "e/hard", "e/soft"]);
    expect(await ok(["images", "-aq"])).toBe(before);
  });

  test("an image goes into an archive that is loaded again, and is not kept itself", async () => {
    await engine.loadBusybox();
    const folder = context({ Dockerfile: "FROM bb\nRUN echo packed > /packed\n" });
    const before = await ok(["images", "-aq"]);
    for (const type of ["docker", "oci"]) {
      const archive = join(folder, `${type}.tar`);
      const metadata = join(folder, `${type}.json`);
      await built(folder, "--output", `type=${type},dest=${archive}`, "--metadata-file", metadata);
      expect(await ok(["images", "-aq"])).toBe(before);
      expect(await ok(["load", "-i", archive])).toBe("Loaded image: e2e-kit:latest");
      expect(await inImage("cat /packed")).toBe("packed");
      expect(await Bun.file(metadata).json()).toMatchObject({
        "containerimage.config.digest": await engine.inspect("e2e-kit", "{{json .Id}}"),
      });
      await ok(["rmi", "e2e-kit"]);
    }
  });

  test("contexts and Dockerfiles come through standard input", async () => {
    await engine.loadBusybox();
    const env = { DOCKER_CONFIG: config, DOCKER_BUILDKIT: "1" };
    const folder = context({ Dockerfile: "FROM bb\nCOPY file /file\n", file: "in the archive" });
    const archive = execFileSync("tar", ["-cf", "-", "-C", folder, "."]);
    await ok(["build", "-t", "e2e-kit", "-"], { env, input: archive });
    expect(await inImage("cat /file")).toBe("in the archive");
    await ok(["build", "-t", "e2e-kit", "-f", "-", folder], { env, input: "FROM bb\nCOPY file /other\n" });
    expect(await inImage("cat /other")).toBe("in the archive");
    await ok(["build", "-t", "e2e-kit", "-"], { env, input: "FROM bb\nRUN touch /without-context\n" });
    expect(await inImage("ls /without-context")).toBe("/without-context");
  });

  test("what is better written otherwise is told with its line, or fails when the file wants that", async () => {
    await engine.loadBusybox();
    const text = "FROM bb AS Up\nENV PATH=$PATH:/x TOKEN=$NONE\nCMD x\n";
    const told = await built(context({ Dockerfile: text }));
    expect([...told.matchAll(/ - (\w+: .*\(line \d+\))$/gm)].map(([, warning]) => warning)).toEqual([
      "StageNameCasing: Stage name 'Up' should be lowercase (line 1)",
      "UndefinedVar: Usage of undefined variable '$NONE' (line 2)",
      'SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "TOKEN") (line 2)',
      "JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals (line 3)",
    ]);
    const strict = `# check=skip=JSONArgsRecommended,UndefinedVar;error=true\n${text}`;
    expect(await refused(context({ Dockerfile: strict }))).toContain(
      "lint violation found for rules: StageNameCasing, SecretsUsedInArgOrEnv",
    );
  });

  test("answers questions about a Dockerfile without building", async () => {
    const folder = context({
      Dockerfile: `
        # WHO to greet
        ARG WHO=you
        # greeter says it
        FROM nowhere.invalid/image AS greeter
        RUN --mount=type=secret,id=key,required --mount=type=cache,target=/c exit 1`,
    });
    const env = { DOCKER_CONFIG: config, BUILDX_EXPERIMENTAL: "1" };
    const print = (what: string) => ok(["buildx", "build", `--print=${what}`, folder], { env });
    expect(await print("targets")).toBe("TARGET            DESCRIPTION\ngreeter (default) says it");
    expect(await print("outline")).toContain("WHO         you     to greet");
    expect(await print("outline")).toContain("key      true");
  });

  test("what builds leave is shown and removed", async () => {
    await engine.loadBusybox();
    const env = { DOCKER_CONFIG: config };
    const folder = context({ Dockerfile: "FROM bb\nRUN --mount=type=cache,target=/c echo kept > /c/x\n" });
    await built(folder);
    expect(await ok(["buildx", "du", "--verbose"], { env })).toContain("exec.cachemount");
    expect(await ok(["buildx", "prune", "-af", "--filter", "type=exec.cachemount"], { env })).toMatch(/\nTotal:\s+5B$/);
    expect(await ok(["buildx", "du", "--verbose"], { env })).not.toContain("exec.cachemount");
  });

  test("a client that is killed ends its build", async () => {
    await engine.loadBusybox();
    const folder = context({ Dockerfile: "FROM bb\nRUN touch /begun; sleep 12345\n" });
    const client = spawn(dockerCli(), ["build", folder], {
      env: { ...process.env, ...engine.env, DOCKER_CONFIG: config },
      stdio: "ignore",
    });
    const sleeping = () => processes().filter((line) => line === "sleep 12345").length;
    await until("the step runs", () => sleeping() === 1);
    client.kill("SIGKILL");
    await until("the step is gone", () => sleeping() === 0);
  });
});

/** The command lines of all processes. */
function processes(): readonly string[] {
  return globSync("/proc/[0-9]*/cmdline").map((path) => {
    try {
      return readFileSync(path, "utf8").split("\0").join(" ").trim();
    } catch {
      return ""; // Gone meanwhile.
    }
  });
}

test("of a large context only what changed comes again, and all of it is in the image", async () => {
  const large = "x".repeat(1 << 20);
  const folder = context({
    Dockerfile: "FROM bb\nCOPY . /all\n",
    large,
    "d/small": "one",
    ".dockerignore": "skipped\n",
  });
  const transferred = (told: string) => told.match(/transferring context: ([\d.]+[kM]?B)/g)?.at(-1);
  expect(transferred(await built(folder))).toContain("1.05MB");
  writeFileSync(join(folder, "d/small"), "second");
  writeFileSync(join(folder, "skipped"), large);
  expect(transferred(await built(folder))).toEndWith(" 6B");
  expect(await inImage("cat /all/d/small; wc -c < /all/large; ls /all")).toBe("second1048576\nDockerfile\nd\nlarge");
});
