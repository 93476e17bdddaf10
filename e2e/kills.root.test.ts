/**
 * The daemon killed in the middle of changes to networks, ports and volumes, at many moments: the next one has each change
 * whole or not at all, and when all is undone the host is what it was before, interface by interface and rule by rule.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { mountInfo } from "../src/kernel/mod.ts";
import { TwoHosts, until, useEngine } from "./harness/mod.ts";

setDefaultTimeout(120_000);

const hosts = new TwoHosts();
// Before the daemon, which starts in it: all that is in there is the daemon's.
beforeAll(() => hosts.make());
const engine = useEngine({ network: hosts.host });
afterAll(() => hosts[Symbol.asyncDispose]());
const ok = engine.ok.bind(engine);

interface Traces {
  readonly interfaces: readonly string[];
  readonly rules: readonly string[];
  readonly mounts: readonly string[];
  readonly leftovers: readonly string[];
}

/** Who lies ready stands in the sets of members, which are left out. Networks come in any order. */
async function rules(): Promise<readonly string[]> {
  const ruleset = await hosts.in("host", "nft list ruleset");
  return ruleset
    .replace(/elements = \{([^}]*)\}/g, (_, elements: string) => (elements.includes("veth") ? "" : elements))
    .replace(/counter packets \d+ bytes \d+/g, "")
    .split(/,\s|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .sort();
}

/** What the daemon has on the host besides what lies ready for containers to come: looked at when it is dead. */
async function traces(): Promise<Traces> {
  const links = async () => (await hosts.in("host", "ip -o link | cut -d: -f2 | cut -d@ -f1 | sort")).split("\n");
  // What was ready goes with the daemon, in the kernel's own time; the one container has one interface.
  const interfaces = await until("only the container's interface is left", async () => {
    const now = await links();
    return now.filter((name) => name.includes("veth")).length === 1 ? now : undefined;
  });
  const { root, run } = engine.own;
  return {
    interfaces,
    rules: await rules(),
    mounts: mountInfo()
      .map(({ mountPoint }) => mountPoint)
      .filter((path) => path.startsWith(root) || path.startsWith(run)),
    leftovers: leftovers(),
  };
}

/** Of volumes half made or half removed. */
function leftovers(): readonly string[] {
  return [".staged", ".trash"].flatMap((name) => {
    const path = join(engine.own.root, "volumes", name);
    return existsSync(path) ? readdirSync(path) : [];
  });
}

interface Change {
  readonly name: string;
  begin(): Promise<unknown>;
  /** Whether it has happened; throws when it is neither whole nor undone. */
  happened(): Promise<boolean>;
  undo(): Promise<unknown>;
}

const onNetwork = () => ok(["inspect", "-f", "{{range $n, $_ := .NetworkSettings.Networks}}{{$n}} {{end}}", "kept"]);
const inside = (script: string) => ok(["exec", "kept", "sh", "-c", script]);

const CHANGES: readonly Change[] = [
  {
    name: "connect",
    begin: () => engine.docker(["network", "connect", "--ip", "10.191.5.77", "e2e-k", "kept"]),
    happened: async () => {
      const said = (await onNetwork()).includes("e2e-k");
      expect(await inside("ip -4 addr | grep -c 10.191.5.77; true")).toBe(said ? "1" : "0");
      return said;
    },
    undo: () => ok(["network", "disconnect", "e2e-k", "kept"]),
  },
  {
    name: "make a network",
    begin: () => engine.docker(["network", "create", "--subnet", "10.191.6.0/24", "e2e-k2"]),
    happened: async () => {
      const said = (await ok(["network", "ls", "-q", "--filter", "name=e2e-k2"])) !== "";
      expect((await hosts.in("host", "ip -4 addr | grep -c 10.191.6.1/24; true")).trim()).toBe(said ? "1" : "0");
      return said;
    },
    undo: () => ok(["network", "rm", "e2e-k2"]),
  },
  {
    name: "publish",
    begin: () => engine.havre(["-H", engine.host, "port", "--publish", "8099:80", "kept"]),
    happened: async () => {
      const said = (await ok(["port", "kept"])).includes("8099");
      // A new daemon makes these rules again while it answers already.
      await until("the rules say the same", async () => (await rules()).join().includes("8099") === said);
      return said;
    },
    undo: () => engine.havre(["-H", engine.host, "port", "--unpublish", "8099", "kept"]),
  },
  {
    name: "snapshot",
    begin: () => engine.havre(["-H", engine.host, "volume", "snapshot", "--pause", "e2e-data", "e2e-snapshot"]),
    happened: async () => {
      const said = (await ok(["volume", "ls", "-q", "--filter", "name=e2e-snapshot"])) !== "";
      if (said)
        expect(
          await ok(["run", "--rm", "--net", "none", "-v", "e2e-snapshot:/s", "bb", "sh", "-c", "ls /s | wc -l"]),
        ).toBe("300");
      // Paused for it, or not: it goes on.
      expect(await inside("echo goes on")).toBe("goes on");
      return said;
    },
    undo: () => ok(["volume", "rm", "e2e-snapshot"]),
  },
];

test("a change is whole or not at all, and nothing of it is left when it is undone", async () => {
  await ok(["network", "create", "--subnet", "10.191.5.0/24", "e2e-k"]);
  await ok(["run", "-d", "--name", "kept", "-v", "e2e-data:/d", "bb", "sh", "-c", "sleep 1000"]);
  await inside("for i in $(seq 300); do echo $i > /d/$i; done");
  try {
    await engine.own.kill();
    const before = await traces();
    await engine.own.start();
    for (const { name, begin, happened, undo } of CHANGES) {
      // How long the whole takes, to be cut off all along it.
      const start = performance.now();
      await begin();
      const whole = performance.now() - start;
      expect({ name, happened: await happened() }).toEqual({ name, happened: true });
      await undo();
      for (const share of [0.15, 0.4, 0.6, 0.8, 0.95]) {
        const beginning = begin();
        await new Promise((resolve) => setTimeout(resolve, whole * share));
        await engine.own.kill();
        await beginning;
        await engine.own.start();
        const did = await happened();
        if (did) await undo();
      }
      // What was removed is deleted in the background, and rules are made again there.
      await until("the rules are as before", async () => Bun.deepEquals(await rules(), before.rules));
      await until("the trash is empty", () => leftovers().length === 0);
      await engine.own.kill();
      expect({ name, ...(await traces()) }).toEqual({ name, ...before });
      await engine.own.start();
    }
  } finally {
    if (!(await engine.own.answers())) await engine.own.start();
    await engine.removeContainers();
    await ok(["network", "rm", "e2e-k"]);
    await ok(["volume", "rm", "e2e-data"]);
  }
});
