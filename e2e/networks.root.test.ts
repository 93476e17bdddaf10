import { expect, setDefaultTimeout, test } from "bun:test";
import { useEngine, useNetworks } from "./harness/mod.ts";

setDefaultTimeout(60_000);
const engine = useEngine();
const { network, start } = useNetworks(engine);
const inside = (container: string, ...command: string[]) => engine.ok(["exec", container, ...command]);
const refusal = async (...args: string[]) => (await engine.docker(args)).stderr.trim();

interface Joined {
  readonly IPAddress: string;
  readonly Gateway: string;
  readonly MacAddress: string;
  readonly GlobalIPv6Address: string;
  readonly Aliases: string[] | null;
  readonly NetworkID: string;
}
const networksOf = (container: string) =>
  engine.inspect<Record<string, Joined>>(container, "{{json .NetworkSettings.Networks}}");

test("containers of one network reach each other, of another network not", async () => {
  await network("n1", "--subnet", "10.211.0.0/24");
  await network("n2", "--subnet", "10.211.1.0/24");
  await start("a1", "--network", "n1");
  await start("b1", "--network", "n1", "--ip", "10.211.0.77");
  await start("c1", "--network", "n2", "--ip", "10.211.1.77");
  await inside("a1", "ping", "-c", "1", "-W", "2", "10.211.0.77");
  expect((await engine.docker(["exec", "a1", "ping", "-c", "1", "-W", "1", "10.211.1.77"])).code).not.toBe(0);
});

test("a network is inspected by name, id and a part of its id, with the containers on it", async () => {
  const id = await network("n1", "--subnet", "10.211.0.0/24", "--ip-range", "10.211.0.128/25", "--label", "tier=back");
  await start("a1", "--network", "n1");
  for (const ref of ["n1", id, id.slice(0, 7)]) {
    const seen = JSON.parse(await engine.ok(["network", "inspect", ref, "--format", "{{json .}}"]));
    expect(seen).toMatchObject({
      Name: "n1",
      Id: id,
      Labels: { tier: "back" },
      IPAM: { Config: [{ Subnet: "10.211.0.0/24", IPRange: "10.211.0.128/25" }] },
    });
    const [one] = Object.values(seen.Containers) as { Name: string; IPv4Address: string }[];
    expect(one).toMatchObject({ Name: "a1", IPv4Address: "10.211.0.129/24" });
  }
  expect(await engine.ok(["network", "ls", "-q", "--no-trunc", "--filter", "label=tier=back"])).toBe(id);
  expect(await engine.ok(["network", "ls", "-q", "--filter", "dangling=true", "--filter", "name=n1"])).toBe("");
});

test("a running container is connected and disconnected, and knows it", async () => {
  await network("n1", "--subnet", "10.211.0.0/24");
  await network("n2", "--subnet", "10.211.1.0/24");
  await start("a1", "--network", "n1", "--ip", "10.211.0.9");
  await start("b1", "--network", "n2", "--ip", "10.211.1.9");
  await engine.ok(["network", "connect", "--ip", "10.211.1.5", "--alias", "other", "n2", "a1"]);
  await inside("a1", "ping", "-c", "1", "-W", "2", "10.211.1.9");
  expect(await inside("a1", "cat", "/etc/hosts")).toContain("10.211.1.5\t");
  expect(await inside("a1", "ip", "route")).toContain("default via 10.211.0.1 dev eth0");
  expect((await networksOf("a1")).n2).toMatchObject({ IPAddress: "10.211.1.5", Aliases: ["other"] });
  expect(await refusal("network", "connect", "n2", "a1")).toBe(
    "Error response from daemon: endpoint with name a1 already exists in network n2",
  );
  await engine.ok(["network", "disconnect", "n1", "a1"]);
  expect(await inside("a1", "ip", "route")).toContain("default via 10.211.1.1 dev eth1");
  expect(await inside("a1", "cat", "/etc/hosts")).not.toContain("10.211.0.9");
  expect(Object.keys(await networksOf("a1"))).toEqual(["n2"]);
  await engine.ok(["restart", "-t", "0", "a1"]);
  expect((await networksOf("a1")).n2?.IPAddress).toBe("10.211.1.5");
  expect(Object.keys(await networksOf("a1"))).toEqual(["n2"]);
});

test("a container that does not run gets its networks with its next start", async () => {
  await network("n1", "--subnet", "10.211.0.0/24");
  await network("n2", "--subnet", "10.211.1.0/24");
  await engine.ok(["create", "--name", "a1", "--network", "n1", "bb", "sleep", "600"]);
  await engine.ok(["network", "connect", "--ip", "10.211.1.33", "n2", "a1"]);
  await engine.ok(["start", "a1"]);
  expect(await inside("a1", "ip", "-4", "-o", "addr")).toMatch(
    /eth0 +inet 10.211.0.\d+\/24.*\n.*eth1 +inet 10.211.1.33\/24/,
  );
  await engine.ok(["stop", "-t", "0", "a1"]);
  await engine.ok(["network", "disconnect", "n1", "a1"]);
  await engine.ok(["start", "a1"]);
  expect(await inside("a1", "ip", "-4", "-o", "addr")).not.toContain("10.211.0.");
});

test("several networks at once, each with its own address, alias and MAC", async () => {
  await network("n1", "--subnet", "10.211.0.0/24");
  await network("n2", "--subnet", "10.211.1.0/24");
  await start(
    "a1",
    "--network=name=n1,alias=x,ip=10.211.0.70",
    "--network=name=n2,ip=10.211.1.70,mac-address=02:00:00:00:00:07",
  );
  const joined = await networksOf("a1");
  expect(joined.n1).toMatchObject({ IPAddress: "10.211.0.70", Aliases: ["x"] });
  expect(joined.n2).toMatchObject({ IPAddress: "10.211.1.70", MacAddress: "02:00:00:00:00:07" });
  expect(await inside("a1", "cat", "/sys/class/net/eth1/address")).toBe("02:00:00:00:00:07");
});

test("an address is asked for within the subnet, once, and is free again when its container ends", async () => {
  await network("n1", "--subnet", "10.211.0.0/24");
  await network("n2");
  expect(await refusal("create", "--network", "n2", "--ip", "10.211.0.9", "bb", "true")).toContain(
    "user specified IP address is supported only when connecting to networks with user configured subnets",
  );
  expect(await refusal("create", "--network", "n1", "--ip", "10.212.0.9", "bb", "true")).toContain(
    "no configured subnet or ip-range contain the IP address 10.212.0.9",
  );
  await start("a1", "--network", "n1", "--ip", "10.211.0.2");
  expect(await refusal("run", "--rm", "--network", "n1", "--ip", "10.211.0.2", "bb", "true")).toContain(
    "Address already in use",
  );
  await engine.ok(["stop", "-t", "0", "a1"]);
  await engine.ok(["run", "--rm", "--network", "n1", "--ip", "10.211.0.2", "bb", "true"]);
  // One that is asked for is given although sandboxes lie ready with the next ones.
  await start("b1", "--network", "n1");
  const own = (await networksOf("b1")).n1?.IPAddress;
  const next = ["10.211.0.3", "10.211.0.4", "10.211.0.5", "10.211.0.6"].filter((address) => address !== own);
  for (const [at, address] of next.entries()) await start(`next${at}`, "--network", "n1", "--ip", address);
});

test("an address of a family that the network does not carry is remembered only", async () => {
  await network("n1", "--subnet", "10.211.0.0/24", "--subnet", "fd00:211::/64");
  await start("a1", "--network", "n1", "--ip6", "fd00:211::9");
  const { n1 } = await networksOf("a1");
  expect(n1).toMatchObject({ IPAMConfig: { IPv6Address: "fd00:211::9" }, GlobalIPv6Address: "" });
});

test.each([
  [["--subnet", "10.211.0.0/25"], "Pool overlaps with other one on this address space"],
  [["--subnet", "10.213.0.1/24"], "invalid network config:\ninvalid subnet 10.213.0.1/24: it should be 10.213.0.0/24"],
  [["--subnet", "10.213.0.0"], "invalid network config:\ninvalid subnet 10.213.0.0: invalid CIDR block notation"],
  [["-d", "foo"], 'plugin "foo" not found'],
  [["-d", "host"], 'only one instance of "host" network is allowed'],
  [
    ["-o", "com.docker.network.driver.mtu=x"],
    'failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing "x": invalid syntax)',
  ],
])("a network with %j is refused in Docker's words and leaves nothing", async (options, text) => {
  await network("n1", "--subnet", "10.211.0.0/24");
  const before = await engine.ok(["network", "ls", "-q"]);
  expect(await refusal("network", "create", ...options, "bad")).toBe(`Error response from daemon: ${text}`);
  expect(await engine.ok(["network", "ls", "-q"])).toBe(before);
});

test("what is in use, or not there, is not removed", async () => {
  const id = await network("n1");
  await start("a1", "--network", "n1");
  expect(await refusal("network", "rm", "n1")).toBe(
    `Error response from daemon: error while removing network: network n1 id ${id} has active endpoints`,
  );
  expect(await refusal("network", "rm", "bridge")).toBe(
    "Error response from daemon: bridge is a pre-defined network and cannot be removed",
  );
  expect(await refusal("run", "--rm", "--network", "nope", "bb", "true")).toContain("network nope not found");
  await network("n2");
  expect(await engine.ok(["network", "prune", "-f", "--filter", "label!=keep"])).toContain("n2");
  await engine.ok(["stop", "-t", "0", "a1"]);
  await engine.ok(["network", "rm", "n1"]);
  expect(await refusal("start", "a1")).toContain(`network ${id} not found`);
});

test("host, none and another's network cannot be joined to more, none can be left", async () => {
  await network("n1", "--subnet", "10.211.0.0/24");
  await start("h1", "--network", "host");
  await start("n1c", "--network", "none");
  await start("k1", "--network", "container:n1c");
  expect(await refusal("network", "connect", "n1", "h1")).toContain("container sharing network namespace with another");
  expect(await refusal("network", "connect", "n1", "k1")).toContain("container sharing network namespace with another");
  expect(await refusal("network", "connect", "n1", "n1c")).toContain("private (none) mode");
  expect(await refusal("network", "disconnect", "host", "h1")).toContain("cannot be disconnected from host network");
  await engine.ok(["network", "disconnect", "none", "n1c"]);
  await engine.ok(["network", "connect", "--ip", "10.211.0.8", "n1", "n1c"]);
  expect(await inside("n1c", "ip", "-4", "-o", "addr")).toContain("10.211.0.8/24");
});

test("interfaces are called as the network has it, at start and when it is connected", async () => {
  await network("n1", "-o", "com.docker.network.container_iface_prefix=lan");
  await network("n2");
  const interfaces = (name: string) => inside(name, "ls", "/sys/class/net");
  await start("a1", "--network", "n1");
  await start("b1", "--network", "n2");
  await engine.ok(["network", "connect", "n2", "a1"]);
  await engine.ok(["network", "connect", "n1", "b1"]);
  expect((await Promise.all(["a1", "b1"].map(interfaces))).map((names) => names.split("\n").sort())).toEqual([
    ["eth0", "lan0", "lo"],
    ["eth0", "lan0", "lo"],
  ]);
  await inside("a1", "ping", "-c", "1", "-W", "5", "b1");
  const wrong = ["-o", "com.docker.network.container_iface_prefix=a/b", "n3"];
  expect(await refusal("network", "create", ...wrong)).toContain('Invalid prefix of interfaces "a/b"');
});

test("IPv6: addresses of the asked subnet and of a chosen one, between containers and by the gateway", async () => {
  await network("n1", "--ipv6", "--subnet", "10.211.0.0/24", "--subnet", "fd00:211::/64");
  await start("a1", "--network", "n1");
  await start("b1", "--network", "n1", "--ip6", "fd00:211::77");
  expect((await networksOf("b1")).n1?.GlobalIPv6Address).toBe("fd00:211::77");
  await inside("a1", "ping", "-6", "-c", "1", "-W", "3", "fd00:211::77");
  await inside("a1", "ping", "-6", "-c", "1", "-W", "3", "fd00:211::1");
  expect(await inside("a1", "ip", "-6", "route")).toContain("default via fd00:211::1");
  expect(await inside("b1", "cat", "/etc/hosts")).toContain("fd00:211::77\t");
});

test("a link-local address is another one of the interface, and is sent from", async () => {
  await network("n1", "--subnet", "10.211.0.0/24");
  await start("a1", "--network", "n1", "--link-local-ip", "169.254.9.1");
  await start("b1", "--network", "n1", "--link-local-ip", "169.254.9.2");
  expect(await inside("a1", "ip", "-4", "-o", "addr")).toContain("169.254.9.1/16");
  await inside("a1", "ping", "-c", "1", "-W", "2", "169.254.9.2");
});

test("a configuration is for other networks, not for containers", async () => {
  await network("cfg", "--config-only", "--subnet", "10.211.3.0/24");
  await network("n1", "--config-from", "cfg");
  expect(await refusal("run", "--rm", "--network", "cfg", "bb", "true")).toContain(
    "cannot create endpoint on configuration-only network",
  );
  await start("a1", "--network", "n1");
  expect((await networksOf("a1")).n1?.IPAddress).toMatch(/^10\.211\.3\./);
});
