import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { buildxFolder, run, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
let daemon: ChildProcess;
let base = "";
let first = "";
let config = "";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

beforeAll(async () => {
  config = mkdtempSync(join(engine.folder, "docker-config-"));
  writeFileSync(join(config, "config.json"), JSON.stringify({ cliPluginsExtraDirs: [buildxFolder()] }));
  const repository = join(engine.folder, "served/app.git");
  mkdirSync(join(repository, "sub"), { recursive: true });
  const git = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run("git", ["-C", repository, ...args]);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  const commit = async (content: string) => {
    writeFileSync(join(repository, "file"), content);
    writeFileSync(join(repository, "sub/Dockerfile"), "FROM bb\nCOPY . /sub\n");
    writeFileSync(join(repository, "Dockerfile"), "FROM bb\nCOPY file /file\n");
    await git("add", ".");
    await git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", content);
    return git("rev-parse", "HEAD");
  };
  await git("init", "-q", "-b", "main");
  first = await commit("first");
  await git("tag", "v1");
  await git("checkout", "-q", "-b", "other");
  await commit("other");
  await git("checkout", "-q", "main");
  const port = await freePort();
  const served = join(engine.folder, "served");
  const args = [
    "daemon",
    "--export-all",
    `--base-path=${served}`,
    "--listen=127.0.0.1",
    `--port=${port}`,
    "--reuseaddr",
  ];
  // The daemon that git starts is another process: it ends with this one.
  daemon = spawn("git", args, { stdio: "ignore", detached: true });
  base = `git://127.0.0.1:${port}/app.git`;
  await until("git's daemon answers", () => answers(port));
});

afterAll(async () => {
  const ended = new Promise((resolve) => daemon.once("exit", resolve));
  process.kill(-(daemon.pid ?? 0), "SIGTERM");
  await ended;
});

const inImage = (script: string) => engine.ok(["run", "--rm", "e2e-git", "sh", "-c", script]);

async function building(client: string, ...args: readonly string[]): Promise<void> {
  const all = ["build", "-q", "-t", "e2e-git", ...args];
  const env = { DOCKER_CONFIG: config, DOCKER_BUILDKIT: client === "classic" ? "0" : "1" };
  const { code, stderr } = client === "havre" ? await engine.havre(all) : await engine.docker(all, { env });
  if (code !== 0) throw new Error(stderr);
}

for (const client of ["havre", "buildx", "classic"]) {
  test(`a repository is the context of a build by ${client}: a branch, a folder of it`, async () => {
    // The classic command line fetches repositories itself, and hands on an archive.
    await building(client, `${base}#other`);
    expect(await inImage("cat /file")).toBe("other");
    await building(client, `${base}#main:sub`);
    expect(await inImage("ls /sub")).toBe("Dockerfile");
  });
}

test("ADD takes a repository at a tag, a commit, with its history, and only if it is the commit that is expected", async () => {
  const folder = mkdtempSync(join(engine.folder, "context-"));
  const add = (line: string) => {
    writeFileSync(join(folder, "Dockerfile"), `FROM bb\nADD ${line}\n`);
    return building("havre", folder);
  };
  await add(`${base}#v1 /app/`);
  expect(await inImage("cat /app/file; echo; ls -A /app")).toBe("first\nDockerfile\nfile\nsub");
  await add(`--keep-git-dir=true ${base}#${first} /app/`);
  expect(await inImage("cat /app/.git/HEAD")).toBe(first);
  await add(`--checksum=${first} ${base}#main /app/`);
  await expect(add(`--checksum=${"0".repeat(40)} ${base}#main /app/`)).rejects.toThrow("expected checksum to match");
  await expect(add(`${base}#none /app/`)).rejects.toThrow(`failed to fetch none of ${base}`);
  await expect(add(`${base}#main:../.. /app/`)).rejects.toThrow("is not in the repository");
});
