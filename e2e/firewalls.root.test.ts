/** Beside the firewalls that hosts have, the real programs, each in a network namespace that plays the host. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { askLine, HOST, NAMING_SERVER, OUTSIDE, TwoHosts, until, useEngine } from "./harness/mod.ts";

setDefaultTimeout(60_000);

const hosts = new TwoHosts();
// Before the daemon, which starts in it.
beforeAll(() => hosts.make());
const engine = useEngine({ network: hosts.host });
afterAll(() => hosts[Symbol.asyncDispose]());
const ok = engine.ok.bind(engine);

const TOOLS = ["/usr", "/lib", "/lib64"].flatMap((path) => ["-v", `${path}:${path}:ro`]);

/** Containers that tell who asks: one behind each port, `open` opened around the firewall by the operator. */
async function serveBoth(): Promise<void> {
  const script = engine.file("server.pl", NAMING_SERVER);
  for (const [name, port, ...flags] of [
    ["kept", "8080"],
    ["open", "8081", "--label", "havre.ports.open=all"],
  ] as const) {
    const server = ["-v", `${script}:/server.pl:ro`, "bb", "/usr/bin/perl", "/server.pl", name, "80"];
    await ok(["run", "-d", "--name", name, ...TOOLS, "-p", `${port}:80`, ...flags, ...server]);
    await until("the server is ready", async () => (await ok(["logs", name])).includes("ready"));
  }
}

const outside = (address: string, port: number) => hosts.in("outside", askLine("tcp", address, port));
const outsideBoth = () => Promise.all([HOST.ipv4, HOST.ipv6].map((address) => outside(address, 8080)));
const outsideVerdicts = async (): Promise<readonly string[]> => {
  const { stdout } = await engine.havre(["port", "--who", "--json", "kept"]);
  const reach = JSON.parse(stdout) as {
    hostAddress: string;
    clients: { interfaceName?: string; verdict: string }[];
  }[];
  return reach
    .filter(({ hostAddress }) => !hostAddress.includes(":"))
    .flatMap(({ clients }) => clients.filter(({ interfaceName }) => interfaceName === "up0"))
    .map(({ verdict }) => verdict);
};
/** What is to hold under any firewall: the way out, neighbours, the port that was opened, and who is seen. */
async function expectTheRest(): Promise<void> {
  expect(await outside(HOST.ipv4, 8081)).toBe(`open tcp ${OUTSIDE.ipv4}`);
  expect(await hosts.in("host", askLine("tcp", HOST.ipv4, 8080))).toBe(`kept tcp ${HOST.ipv4}`);
  await ok(["exec", "kept", "ping", "-c", "1", "-W", "5", OUTSIDE.ipv4]);
  const neighbour = await ok(["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "open"]);
  await ok(["exec", "kept", "ping", "-c", "1", "-W", "5", neighbour]);
}

test("ufw: a port is shut until it is allowed, and nothing breaks when it is enabled, reloaded, disabled", async () => {
  const own = join(engine.folder, "ufw");
  mkdirSync(own);
  cpSync("/etc/ufw", join(own, "etc"), { recursive: true });
  cpSync("/etc/default/ufw", join(own, "default"));
  // Its settings are copies, seen by it alone.
  const ufw = (words: string) =>
    hosts.in(
      "host",
      `unshare -m sh -c 'mount --bind ${own}/etc /etc/ufw && mount --bind ${own}/default /etc/default/ufw && ufw ${words}' 2>&1`,
    );
  try {
    await serveBoth();
    expect(await outside(HOST.ipv4, 8080)).toBe(`kept tcp ${OUTSIDE.ipv4}`);
    expect(await ufw("--force enable")).toContain("Firewall is active");
    expect(await outsideBoth()).toEqual(["", ""]);
    expect(await outsideVerdicts()).toEqual(["no"]);
    await expectTheRest();
    await ufw("allow 8080/tcp");
    for (const change of ["status", "reload"]) {
      expect(await ufw(change)).not.toContain("ERROR");
      expect(await outside(HOST.ipv4, 8080)).toBe(`kept tcp ${OUTSIDE.ipv4}`);
      expect(await outside(HOST.ipv6, 8080)).toStartWith("kept tcp");
      expect(await outsideVerdicts()).toEqual(["yes"]);
      await expectTheRest();
    }
    await ufw("delete allow 8080/tcp");
    await ufw(`allow from ${OUTSIDE.ipv4} to any port 8080 proto tcp`);
    expect(await outsideBoth()).toEqual([`kept tcp ${OUTSIDE.ipv4}`, ""]);
    expect(await outsideVerdicts()).toEqual(["some"]);
    await ufw("reload");
    await engine.own.kill();
    await engine.own.start();
    expect(await outsideBoth()).toEqual([`kept tcp ${OUTSIDE.ipv4}`, ""]);
    await expectTheRest();
  } finally {
    await ufw("disable");
  }
  expect(await outside(HOST.ipv6, 8080)).toStartWith("kept tcp");
  await expectTheRest();
});
