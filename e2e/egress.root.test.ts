/** What containers reach outside their networks: nothing under hardened but what was granted, by address and by name. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { HOST, OUTSIDE, TwoHosts, until, useEngine, useNetworks } from "./harness/mod.ts";

setDefaultTimeout(60_000);

const METADATA = "169.254.169.254";
const OTHER = "203.0.113.3";
const PORT = 7000;
const hosts = new TwoHosts();
const servers: ChildProcess[] = [];
const asked: string[] = [];

/** A script of the harness in the namespace outside; resolves when it says that it is ready. */
async function serve(script: string, ...args: string[]): Promise<void> {
  const command = [process.execPath, join(import.meta.dirname, "harness", script), ...args];
  const child = spawn("nsenter", [`--net=${hosts.outside}`, ...command], { stdio: ["pipe", "pipe", "inherit"] });
  servers.push(child);
  const { promise, resolve } = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => (line === "ready" ? resolve() : asked.push(line)));
  await promise;
}

beforeAll(async () => {
  await hosts.make();
  await hosts.in("outside", `ip addr add ${OTHER}/24 dev up0 && ip addr add ${METADATA}/32 dev up0`);
  await hosts.in("host", `ip route add ${METADATA}/32 via ${OUTSIDE.ipv4}`);
  await serve("prober.ts");
  await serve("name-server.ts", OUTSIDE.ipv4);
});
const engine = useEngine({ network: hosts.host });
const { network } = useNetworks(engine);
afterAll(async () => {
  for (const child of servers) {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
  await hosts[Symbol.asyncDispose]();
});

const HARDENED = ["--label", "havre.profile=hardened", "--dns", OUTSIDE.ipv4];
const grants = (words: string) => ["--label", `havre.grants=${words}`];

async function start(name: string, ...options: string[]): Promise<void> {
  await engine.ok([
    "run",
    "-d",
    "--name",
    name,
    "--expose",
    String(PORT),
    ...options,
    "bb",
    "httpd",
    "-f",
    "-p",
    String(PORT),
    "-h",
    "/tmp",
  ]);
}

/** `reached`, or what the program says. */
async function reach(from: string, address: string, port = PORT, patience = 5): Promise<string> {
  const nc = ["exec", from, "sh", "-c", `nc -w ${patience} ${address} ${port} </dev/null >/dev/null`];
  const { code, stderr } = await engine.docker(nc);
  return code === 0 ? "reached" : (/Connection refused|bad address|timed out/.exec(stderr)?.[0] ?? stderr);
}

const addressOf = (name: string, on: string) =>
  engine.ok(["inspect", "-f", `{{(index .NetworkSettings.Networks "${on}").IPAddress}}`, name]);
const REFUSED = "Connection refused";

interface Refusal {
  readonly target: string;
  readonly rule: string;
  readonly grant: string;
  readonly remedy: string;
}

async function why(name: string): Promise<readonly Refusal[]> {
  return JSON.parse((await engine.havre(["why", "--json", name])).stdout).refusals;
}

test("hardened reaches its own network only, and each refusal is told with the words that mend it", async () => {
  await network("e2e-eg", "--ipv6", "--subnet", "10.231.71.0/24", "--subnet", "fd00:e2e:71::/64");
  await start("e2e-other", ...HARDENED, "-p", "7071:7000");
  await start("e2e-web", "--network", "e2e-eg", ...HARDENED, "-p", "7070:7000");
  await start("e2e-free", "--network", "e2e-eg", ...grants(""));
  await start("e2e-shut", "--network", "e2e-eg", ...HARDENED);
  for (const address of [OUTSIDE.ipv4, `${OUTSIDE.ipv6}`]) {
    expect([address, await reach("e2e-free", address)]).toEqual([address, "reached"]);
    expect([address, await reach("e2e-shut", address)]).toEqual([address, REFUSED]);
  }
  expect(await reach("e2e-shut", "e2e-web")).toBe("reached");
  // Published: from outside, and from a container by the host's address, where it is the host that is asked.
  expect(await hosts.in("outside", `busybox nc -w 5 ${HOST.ipv4} 7070 </dev/null && echo reached`)).toBe("reached");
  expect(await reach("e2e-free", HOST.ipv4, 7071)).toBe("reached");
  expect(await reach("e2e-shut", HOST.ipv4, 7071)).toBe(REFUSED);
  for (const host of ["10.231.71.1", "fd00:e2e:71::1", HOST.ipv4])
    expect(await reach("e2e-shut", host, 22)).toBe(REFUSED);
  expect(await reach("e2e-shut", await addressOf("e2e-other", "bridge"))).toBe(REFUSED);
  const told = await why("e2e-shut");
  expect(told.map(({ grant }) => grant)).toEqual(
    expect.arrayContaining([
      `--grant egress:${OUTSIDE.ipv4}:7000`,
      `--grant egress:[${OUTSIDE.ipv6}]:7000`,
      `--grant egress:${HOST.ipv4}:7071`,
      "--grant egress:10.231.71.1:22",
    ]),
  );
  expect(await why("e2e-free")).toEqual([]);
  const mends = told.filter(({ target }) => /7000|7071/.test(target)).map(({ grant }) => grant.replace("--grant ", ""));
  await start("e2e-mended", "--network", "e2e-eg", ...HARDENED, ...grants(mends.join(" ")));
  for (const address of [OUTSIDE.ipv4, OUTSIDE.ipv6]) expect(await reach("e2e-mended", address)).toBe("reached");
  expect(await reach("e2e-mended", HOST.ipv4, 7071)).toBe("reached");
  expect(await reach("e2e-mended", OTHER)).toBe(REFUSED);
  expect(await why("e2e-mended")).toMatchObject([{ target: `${OTHER} port 7000/tcp` }]);
});

test("a name is granted by its name server's answer; no other is asked for; all of it outlives the daemon and a flush", async () => {
  await start("e2e-named", ...HARDENED, ...grants("egress:*.ok.test:7000"));
  // Nothing was learned yet.
  expect(await reach("e2e-named", OUTSIDE.ipv4)).toBe(REFUSED);
  expect(await reach("e2e-named", "a.ok.test")).toBe("reached");
  expect(await reach("e2e-named", OUTSIDE.ipv4)).toBe("reached");
  for (const name of ["ok.test", "secret.attacker.test"]) expect(await reach("e2e-named", name)).toBe("bad address");
  await until("the server was asked", () => asked.includes("a.ok.test"));
  await until("it is in the log", () => engine.own.log.includes("name=secret.attacker.test"));
  expect(asked.filter((name) => name.includes("attacker"))).toEqual([]);
  expect((await why("e2e-named")).map(({ grant }) => grant)).toContain("--grant egress:ok.test");

  await engine.own.kill();
  await engine.own.restart();
  expect(await reach("e2e-named", OUTSIDE.ipv4)).toBe("reached");
  expect(await reach("e2e-named", OTHER)).toBe(REFUSED);
  await hosts.in("host", "nft flush ruleset");
  const isLimited = () => hosts.in("host", `nft list set inet havre-egress-${engine.own.bridge} limited4 || true`);
  await until("it is limited again", async () => (await isLimited()).includes("elements"));
  expect(await reach("e2e-named", OTHER)).toBe(REFUSED);
  await until("it reaches again what it may", async () => (await reach("e2e-named", "b.ok.test")) === "reached");

  await network("e2e-eg2");
  await start("e2e-near", "--network", "e2e-eg2");
  const near = await addressOf("e2e-near", "e2e-eg2");
  expect(await reach("e2e-named", near)).toBe(REFUSED);
  await engine.ok(["network", "connect", "e2e-eg2", "e2e-named"]);
  expect(await reach("e2e-named", near)).toBe("reached");
  expect(await reach("e2e-named", OTHER)).toBe(REFUSED);
  await engine.ok(["network", "disconnect", "e2e-eg2", "e2e-named"]);
  expect(await reach("e2e-named", near)).toBe(REFUSED);
  await engine.ok(["rm", "-f", "e2e-named"]);
  const left = await hosts.in("host", `nft list table inet havre-egress-${engine.own.bridge}`);
  expect([...left.matchAll(/set (\S+) \{[^}]*elements/g)].map(([, set = ""]) => set.replace(/\d$/, ""))).toEqual(
    expect.not.arrayContaining(["limited", "home", "reach", "name_ports", "links"]),
  );
});

test("a cloud's metadata address is reached by none who does not name it", async () => {
  await start("e2e-any", ...HARDENED, ...grants("egress:any"));
  await start("e2e-cloud", ...HARDENED, ...grants(`egress:any egress:${METADATA}`));
  await start("e2e-listed", ...HARDENED, ...grants(`egress:${METADATA}:7000`));
  expect(await reach("e2e-any", OUTSIDE.ipv4)).toBe("reached");
  expect(await reach("e2e-any", METADATA, PORT, 1)).toBe("timed out");
  expect(await reach("e2e-cloud", METADATA)).toBe("reached");
  expect(await reach("e2e-listed", METADATA)).toBe("reached");
  expect(await reach("e2e-listed", OUTSIDE.ipv4)).toBe(REFUSED);
});

test("words limit under any profile; a network past the host needs all or nothing", async () => {
  await start("e2e-none", ...grants("egress:none"));
  expect(await reach("e2e-none", OUTSIDE.ipv4)).toBe(REFUSED);
  await network("e2e-mv", "-d", "macvlan", "-o", "parent=up0", "--subnet", "203.0.113.128/25");
  const onWire = ["run", "--rm", "--network", "e2e-mv", ...HARDENED];
  const denied = await engine.docker([...onWire, "bb", "true"]);
  expect([denied.code, denied.stderr]).toEqual([125, expect.stringContaining("To allow it: --grant egress:any")]);
  expect((await engine.docker([...onWire, ...grants("egress:any"), "bb", "true"])).code).toBe(0);
});
