/** Who reaches whom: every kind of network against containers, the host and the outside, by TCP, UDP and ICMP. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { useEngine } from "./harness/mod.ts";

setDefaultTimeout(120_000);
const engine = useEngine();
const OUTSIDE = `hvout${process.pid}`;
const UPLINK = { host: "203.0.113.1", outside: "203.0.113.2", host6: "2001:db8:113::1", outside6: "2001:db8:113::2" };
/** What macvlan lies on: the host has an address there too. */
const WIRE = { host: "203.0.114.1", neighbour: "203.0.114.2" };
const METADATA = "169.254.169.254";
const KINDS = ["tcp", "udp", "icmp"] as const;

class Prober {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(namespace: string | undefined, ...how: "ask"[]) {
    const script = [process.execPath, join(import.meta.dirname, "harness", "prober.ts"), ...how];
    const [command = "", ...args] = [...(namespace ? ["nsenter", `--net=${namespace}`] : []), ...script];
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { value } = await this.#lines.next();
    return value ?? "ended";
  }

  /** Answers to TCP, UDP and ICMP, as `TUI` with a dash for what is not reached. */
  async reach(addresses: readonly string[]): Promise<Record<string, string>> {
    this.#child.stdin.write(`${addresses.flatMap((one) => KINDS.map((kind) => `${kind} ${one}`)).join(",")}\n`);
    const answers = (await this.line()).split(",");
    return Object.fromEntries(
      addresses.map((address, at) => [
        address,
        ["T", "U", "I"].map((letter, kind) => (answers[at * 3 + kind] === "yes" ? letter : "-")).join(""),
      ]),
    );
  }

  end(): void {
    this.#child.stdin.end();
    this.#child.kill("SIGKILL");
  }
}

const ip = (...args: string[]) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] });
const probers = new Map<string, Prober>();
const NETWORKS: readonly (readonly [string, readonly string[]])[] = [
  ["na", ["--ipv6", "--subnet", "10.215.0.0/24", "--subnet", "fd00:215::/64"]],
  ["nb", ["--ipv6", "--subnet", "10.215.1.0/24", "--subnet", "fd00:215:1::/64"]],
  ["ni", ["--internal", "--subnet", "10.215.2.0/24"]],
  ["nx", ["-o", "com.docker.network.bridge.enable_icc=false", "--subnet", "10.215.3.0/24"]],
  ["nm", ["-d", "macvlan", "-o", "parent=hvmv0", "--subnet", "203.0.114.0/24", "--gateway", WIRE.neighbour]],
  ["nh", ["-o", "havre.host_access=true", "-o", "havre.link_local_access=true", "--subnet", "10.215.4.0/24"]],
];
const CONTAINERS: readonly (readonly [string, string, string])[] = [
  ["a1", "na", "10.215.0.11"],
  ["a2", "na", "10.215.0.12"],
  ["b1", "nb", "10.215.1.11"],
  ["i1", "ni", "10.215.2.11"],
  ["i2", "ni", "10.215.2.12"],
  ["x1", "nx", "10.215.3.11"],
  ["x2", "nx", "10.215.3.12"],
  ["h1", "nh", "10.215.4.11"],
  ["m1", "nm", "203.0.114.11"],
  ["m2", "nm", "203.0.114.12"],
];
let ofDefault = { address: "", gateway: "" };

const pidOf = (name: string) => engine.ok(["inspect", "-f", "{{.State.Pid}}", name]);

async function build(): Promise<void> {
  ip("netns", "add", OUTSIDE);
  ip("link", "add", "hvup0", "type", "veth", "peer", "name", "hvup1", "netns", OUTSIDE);
  for (const address of [`${UPLINK.host}/24`, `${UPLINK.host6}/64`])
    ip("addr", "add", address, "dev", "hvup0", ...nodad(address));
  ip("link", "set", "hvup0", "up");
  for (const address of [`${UPLINK.outside}/24`, `${UPLINK.outside6}/64`, `${METADATA}/32`])
    ip("-n", OUTSIDE, "addr", "add", address, "dev", "hvup1", ...nodad(address));
  for (const link of ["lo", "hvup1"]) ip("-n", OUTSIDE, "link", "set", link, "up");
  ip("link", "add", "hvmv0", "type", "veth", "peer", "name", "hvmv1", "netns", OUTSIDE);
  ip("addr", "add", `${WIRE.host}/24`, "dev", "hvmv0");
  ip("link", "set", "hvmv0", "up");
  ip("-n", OUTSIDE, "addr", "add", `${WIRE.neighbour}/24`, "dev", "hvmv1");
  ip("-n", OUTSIDE, "link", "set", "hvmv1", "up");
  ip("route", "add", `${METADATA}/32`, "via", UPLINK.outside);
  // Outside knows ways to the containers: nothing but our rules keeps it from them.
  ip("-n", OUTSIDE, "route", "add", "10.0.0.0/8", "via", UPLINK.host);
  for (const [name, options] of NETWORKS) await engine.ok(["network", "create", ...options, name]);
  for (const [name, network, address] of CONTAINERS)
    await engine.ok(["run", "-d", "--name", name, "--network", network, "--ip", address, "bb", "sleep", "600"]);
  await engine.ok(["run", "-d", "--name", "d1", "bb", "sleep", "600"]);
  await engine.ok(["run", "-d", "--name", "d2", "--add-host", "host:host-gateway", "bb", "sleep", "600"]);
  await engine.ok(["run", "-d", "--name", "o1", "--network", "none", "bb", "sleep", "600"]);
  await engine.ok(["run", "-d", "--name", "g1", "--network", "host", "bb", "sleep", "600"]);
  const { IPAddress, Gateway } = await engine.inspect<Record<string, string>>("d1", "{{json .NetworkSettings}}");
  ofDefault = { address: IPAddress ?? "", gateway: Gateway ?? "" };
  probers.set("host", new Prober(undefined));
  probers.set("outside", new Prober(`/run/netns/${OUTSIDE}`));
  // Where the host's own answers already.
  probers.set("g1", new Prober(`/proc/${await pidOf("g1")}/ns/net`, "ask"));
  for (const name of [...CONTAINERS.map(([one]) => one), "d1", "d2", "o1"])
    probers.set(name, new Prober(`/proc/${await pidOf(name)}/ns/net`));
  for (const prober of probers.values()) expect(await prober.line()).toBe("ready");
}

async function takeApart(): Promise<void> {
  for (const prober of probers.values()) prober.end();
  await engine.removeContainers();
  for (const [name] of NETWORKS) await engine.docker(["network", "rm", name]);
  for (const link of ["hvup0", "hvmv0"]) ip("link", "del", link);
  ip("netns", "del", OUTSIDE);
}

function nodad(address: string): string[] {
  return address.includes(":") ? ["nodad"] : [];
}

async function reach(from: string, addresses: readonly string[]): Promise<Record<string, string>> {
  return (await probers.get(from)?.reach(addresses)) ?? {};
}

const ALL = "TUI";
const NONE = "---";

/** One test for all, since all ask from the same places. */
test("who reaches whom", async () => {
  try {
    await build();
    await everyPair();
    await nobodyAsSomeoneElse();
    await afterAKill();
  } finally {
    await takeApart();
  }
});

/** What a row says is `address: what of TCP, UDP and ICMP reaches it`. */
async function everyPair(): Promise<void> {
  const containers = Object.fromEntries(CONTAINERS.map(([name, , address]) => [name, address]));
  const { a1 = "", a2 = "", b1 = "", i1 = "", i2 = "", x1 = "", x2 = "", h1 = "", m1 = "", m2 = "" } = containers;
  const d1 = ofDefault.address;
  const hosts = { [a1]: ALL, [i1]: ALL, [x1]: ALL, [d1]: ALL, [m1]: NONE, [UPLINK.outside]: ALL };
  const expected: Record<string, Record<string, string>> = {
    a1: {
      [a2]: ALL,
      [b1]: NONE,
      [i1]: NONE,
      [x1]: NONE,
      [d1]: NONE,
      [m1]: NONE,
      "10.215.0.1": "--I",
      "10.215.1.1": "--I",
      [ofDefault.gateway]: "--I",
      [UPLINK.host]: ALL,
      [UPLINK.outside]: ALL,
      [UPLINK.outside6]: ALL,
      [METADATA]: NONE,
      "fd00:215::1": "--I",
      "fd00:215:1::1": "--I",
    },
    i1: {
      [i2]: ALL,
      [a1]: NONE,
      [d1]: NONE,
      "10.215.2.1": "--I",
      [UPLINK.host]: NONE,
      [UPLINK.outside]: NONE,
      [METADATA]: NONE,
    },
    x1: { [x2]: NONE, [a1]: NONE, "10.215.3.1": "--I", [UPLINK.outside]: ALL },
    // The prober's UDP answers come from its first address.
    h1: { "10.215.4.1": ALL, [a1]: NONE, [UPLINK.outside]: ALL, [METADATA]: "T-I" },
    d1: { [a1]: NONE, [ofDefault.gateway]: "--I", [UPLINK.outside]: ALL, [METADATA]: NONE },
    d2: { [d1]: ALL, [a1]: NONE, [ofDefault.gateway]: ALL },
    // Its neighbours on the wire, and by way of them; the host of all is none of them.
    m1: { [m2]: ALL, [WIRE.neighbour]: ALL, [WIRE.host]: NONE, [a1]: NONE, [i1]: NONE, [d1]: NONE },
    o1: { [a1]: NONE, [d1]: NONE, [m1]: NONE, [UPLINK.host]: NONE, [UPLINK.outside]: NONE, "127.0.0.1": ALL },
    g1: hosts,
    host: hosts,
    outside: { [a1]: NONE, [i1]: NONE, [x1]: NONE, [h1]: NONE, [d1]: NONE, [UPLINK.host]: ALL, [m1]: ALL },
  };
  for (const [from, row] of Object.entries(expected))
    expect({ from, ...(await reach(from, Object.keys(row))) }).toEqual({ from, ...row });
}

/** Not by IP, not by MAC, not in ARP. */
async function nobodyAsSomeoneElse(): Promise<void> {
  const { a1, a2 } = { a1: await pidOf("a1"), a2: await pidOf("a2") };
  const inside = (pid: string, ...words: string[]) => execFileSync("nsenter", [`--net=/proc/${pid}/ns/net`, ...words]);
  // As its neighbour: the victim still finds the right one.
  inside(a1, "ip", "addr", "add", "10.215.0.12/32", "dev", "lo");
  expect(() => inside(a1, "busybox", "ping", "-c", "1", "-W", "1", "-I", "10.215.0.12", "10.215.0.1")).toThrow();
  inside(a1, "ip", "addr", "del", "10.215.0.12/32", "dev", "lo");
  // As the gateway, told to a neighbour by ARP: it keeps the gateway's own address.
  const gatewayMac = () => inside(a2, "ip", "neigh", "show", "10.215.0.1").toString();
  inside(a2, "busybox", "ping", "-c", "1", "-W", "1", "10.215.0.1");
  const before = /lladdr (\S+)/.exec(gatewayMac())?.[1] ?? "none";
  inside(a1, "ip", "addr", "add", "10.215.0.1/32", "dev", "eth0");
  inside(a1, "busybox", "arping", "-U", "-c", "2", "-I", "eth0", "-s", "10.215.0.1", "10.215.0.1");
  inside(a1, "ip", "addr", "del", "10.215.0.1/32", "dev", "eth0");
  expect(gatewayMac()).toContain(before);
  expect(await reach("a2", [UPLINK.outside])).toEqual({ [UPLINK.outside]: ALL });
  // Under another MAC address nothing of it arrives.
  const own = "02:42:0a:d7:00:0b";
  inside(a1, "ip", "link", "set", "eth0", "address", "02:00:00:00:00:99");
  expect(await reach("a1", ["10.215.0.12"])).toEqual({ "10.215.0.12": NONE });
  inside(a1, "ip", "link", "set", "eth0", "address", own);
  expect(await reach("a1", ["10.215.0.12"])).toEqual({ "10.215.0.12": ALL });
}

/** With the firewall flushed meanwhile. */
async function afterAKill(): Promise<void> {
  await engine.own.kill();
  execFileSync("nft", ["delete", "table", "bridge", `havre-${engine.own.bridge}`]);
  await engine.own.start();
  expect(await reach("a1", ["10.215.0.12", "10.215.1.11", "10.215.0.1"])).toEqual({
    "10.215.0.12": ALL,
    "10.215.1.11": NONE,
    "10.215.0.1": "--I",
  });
  const a1 = await pidOf("a1");
  execFileSync("nsenter", [`--net=/proc/${a1}/ns/net`, "ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"]);
  expect(await reach("a1", ["10.215.0.12"])).toEqual({ "10.215.0.12": NONE });
}
