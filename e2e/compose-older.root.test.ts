import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dockerCompose, type Outcome, run, useEngine } from "./harness/mod.ts";

// Debian's package of the program before the plug-in: 1.29 on Debian 12, whose containers are named with underscores.
const OLDER = "/usr/bin/docker-compose";

setDefaultTimeout(60_000);

const engine = useEngine();
let cwd = "";

type Tool = (...args: readonly string[]) => Promise<Outcome>;
const older: Tool = (...args) => run(OLDER, args, { cwd, env: engine.env });
const plugIn: Tool = (...args) => run(dockerCompose(), args, { cwd, env: engine.env });
const havre: Tool = (...args) => engine.havre(["compose", ...args], { cwd });

async function ok(tool: Tool, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tool(...args);
  if (code !== 0) throw new Error(`${args.join(" ")} exited with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
}

function project(name: string): void {
  cwd = join(engine.folder, name);
  mkdirSync(cwd, { recursive: true });
  writeFileSync(
    join(cwd, "compose.yaml"),
    `
services:
  web: {image: bb, init: true, command: [sleep, "1000"], stop_signal: SIGKILL, depends_on: [db], networks: [front]}
  db: {image: bb, init: true, command: [sleep, "1000"], stop_signal: SIGKILL, volumes: ["data:/data"], networks: [front]}
networks: {front: {}}
volumes: {data: {}}
`,
  );
}

afterEach(() => havre("down", "-v", "-t", "0"));

/** The containers of a service, of those that run and those that ended. */
async function containers(service: string): Promise<string[]> {
  const filters = ["--filter", `label=com.docker.compose.service=${service}`];
  return (await engine.ok(["ps", "-aq", "--no-trunc", ...filters])).split("\n").filter((id) => id !== "");
}

const inDb = async (...command: string[]) => engine.ok(["exec", (await containers("db"))[0] ?? "", ...command]);

for (const [name, first, second] of [
  ["docker-compose by havre", older, havre],
  ["havre by docker-compose", havre, older],
  ["docker-compose by the plug-in", older, plugIn],
  ["the plug-in by docker-compose", plugIn, older],
] as const) {
  test(`a project of ${name} is seen and taken over`, async () => {
    project(name.replace(/\W/g, ""));
    await ok(first, "up", "-d");
    await inDb("sh", "-c", "echo kept > /data/file");
    const before = [...(await containers("web")), ...(await containers("db"))].sort();
    expect(before).toHaveLength(2);

    // Seen: its containers are those that the other lists, stops and starts.
    expect((await ok(second, "ps", "-q")).split("\n").sort()).toEqual(before);
    await ok(second, "stop", "-t", "0", "web");
    expect(await engine.ok(["ps", "-q"])).not.toBe("");
    expect(await engine.ok(["inspect", "--format", "{{.State.Running}}", (await containers("web"))[0] ?? ""])).toBe(
      "false",
    );
    await ok(second, "start", "web");
    expect([...(await containers("web")), ...(await containers("db"))].sort()).toEqual(before);

    // Taken over: in place of its containers, with its data and its network, and nothing twice.
    await ok(second, "up", "-d");
    expect(await containers("web")).toHaveLength(1);
    expect(await containers("db")).toHaveLength(1);
    expect(await inDb("cat", "/data/file")).toBe("kept");
    const networks = await engine.ok(["network", "ls", "-q", "--filter", "label=com.docker.compose.network=front"]);
    expect(networks.split("\n")).toHaveLength(1);
    await ok(second, "up", "-d", "--scale", "web=2");
    expect(await containers("web")).toHaveLength(2);
    await ok(first, "down", "-v", "-t", "0");
    expect(await engine.ok(["ps", "-aq"])).toBe("");
    expect(await engine.ok(["volume", "ls", "-q"])).toBe("");
  });
}
