import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { makeBareSandbox } from "./sandboxes.ts";
import { enterTestHost, ON_BRIDGE, sh, testNetworks } from "./test-host.ts";

setDefaultTimeout(30_000);

const ROUTER = "203.0.113.1";
const OUTSIDE = "203.0.113.2";

let undo: (() => Promise<void> | void)[];
let outside: string;
let fixture: ReturnType<typeof testNetworks> | undefined;

/** A host with a second namespace behind an uplink, which knows no way back to containers but through the host's own address. */
beforeEach(() => {
  const host = enterTestHost();
  const namespace = makeBareSandbox();
  outside = namespace.path;
  sh(`ip link add up0 type veth peer name up1 && ip addr add ${ROUTER}/24 dev up0 && ip link set up0 up`);
  sh(`ip link set up1 netns ${outside}`);
  sh(`ip addr add ${OUTSIDE}/24 dev up1 && ip link set up1 up && ip link show dev up1`, outside);
  // Asked for a single link, the kernel finishes the change of carrier first: packets go through from here on.
  expect(sh("ip link show dev up0")).toContain("state UP");
  undo = [() => host[Symbol.dispose](), () => namespace[Symbol.dispose]()];
});
afterEach(async () => {
  await stop();
  for (const step of undo.reverse()) await step();
});

async function stop(): Promise<void> {
  if (!fixture) return;
  for (const { endpoints } of fixture.networks.list())
    for (const id of endpoints.keys()) await fixture.networks.forget(id);
  await fixture.networks.tearDown();
  await fixture.dispose();
  fixture = undefined;
}

async function start(): Promise<string> {
  fixture = testNetworks("hvt0");
  await fixture.networks.recover(new Map());
  return (await fixture.networks.attach("c1", ON_BRIDGE)).namespacePath ?? "";
}

const ping = (address: string) => `busybox ping -c 1 -W 1 ${address}`;

test("a container reaches the outside under the host's address, and is not reached from there", async () => {
  const inside = await start();
  sh(ping(OUTSIDE), inside);
  sh(`ip route add 172.17.0.0/16 via ${ROUTER}`, outside);
  expect(() => sh(ping("172.17.0.2"), outside)).toThrow();
  sh(ping(ROUTER), outside);
});

test("a packet under a foreign source address does not leave the bridge", async () => {
  const inside = await start();
  sh("ip addr add 198.51.100.7/32 dev lo", inside);
  sh("ip route add 198.51.100.7 dev hvt0");
  sh(`ip route add 198.51.100.7 via ${ROUTER}`, outside);
  expect(() => sh(`busybox ping -c 1 -W 1 -I 198.51.100.7 ${OUTSIDE}`, inside)).toThrow();
});

test.each([
  ["a FORWARD policy of DROP", "iptables -P FORWARD DROP"],
  [
    "Docker's chains",
    `iptables -N DOCKER-USER && iptables -A DOCKER-USER -j RETURN && iptables -I FORWARD -j DOCKER-USER &&
     iptables -N DOCKER-ISOLATION-STAGE-1 && iptables -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j RETURN &&
     iptables -P FORWARD DROP`,
  ],
])("works beside %s and leaves it as it was", async (_, rules) => {
  sh(rules);
  const before = sh("iptables-save -t filter | grep -v '^#' | sed 's/\\[.*//'");
  const inside = await start();
  sh(ping(OUTSIDE), inside);
  sh("iptables -S | grep HAVRE-hvt0");
  // A second start finds its rules there and adds none.
  const installed = sh("iptables -S");
  await fixture?.networks.recover(new Map([["c1", undefined]]));
  expect(sh("iptables -S")).toBe(installed);
  await stop();
  expect(sh("iptables-save -t filter | grep -v '^#' | sed 's/\\[.*//'")).toBe(before);
});

test("a host without iptables rules gets none", async () => {
  await start();
  if (sh("command -v dockerd || true") === "") expect(sh("nft list tables")).not.toContain("table ip filter");
});

test("the subnet avoids what the host uses", async () => {
  sh("ip addr add 172.17.5.1/24 dev up0 && ip route add 172.18.0.0/15 via 203.0.113.2");
  await start();
  expect(fixture?.networks.list().find(({ name }) => name === "bridge")?.pools[0]?.subnet).toBe("172.20.0.0/16");
});

test.each([
  ["all rules of the host are flushed", "nft flush ruleset"],
  ["a firewall starts to drop", "iptables -P FORWARD DROP"],
  [
    "more changes than can be told",
    `for i in $(seq 3000); do echo "add chain ip many c$i"; done | (echo add table ip many; cat) | nft -f - && nft flush ruleset`,
  ],
])("the way out comes back after %s", async (_, disturbance) => {
  const inside = await start();
  sh(ping(OUTSIDE), inside);
  sh(disturbance);
  expect(() => sh(ping(OUTSIDE), inside)).toThrow();
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && sh(`${ping(OUTSIDE)} >/dev/null && echo out || true`, inside) === "")
    await Bun.sleep(20);
  sh(ping(OUTSIDE), inside);
  const settled = sh("nft list ruleset");
  expect(settled).toContain("masquerade");
  await stop();
  sh("iptables -P FORWARD ACCEPT");
});

test("a deleted bridge is made again for the next container, and running ones are joined to it", async () => {
  const first = await start();
  sh(ping(OUTSIDE), first);
  sh("ip link delete hvt0");
  expect(() => sh(ping(OUTSIDE), first)).toThrow();
  const all = await Promise.all(["c2", "c3", "c4"].map((id) => fixture?.networks.attach(id, ON_BRIDGE)));
  const second = all[0]?.namespacePath;
  expect(new Set(all.map((one) => one?.endpoints[0]?.ipAddress)).size).toBe(3);
  sh(ping(OUTSIDE), second);
  sh(ping(OUTSIDE), first);
  sh(ping("172.17.0.2"), second);
});

const OUTSIDE6 = "2001:db8:113::2";

/** An IPv6 network, and an outside that knows the host's address only. */
async function startIpv6(): Promise<string> {
  sh("ip addr add 2001:db8:113::1/64 dev up0 nodad");
  sh(`ip addr add ${OUTSIDE6}/64 dev up1 nodad`, outside);
  fixture = testNetworks("hvt0");
  await fixture.networks.recover(new Map());
  const pools = [{ subnet: "fd00:6::/64" }];
  await fixture.networks.create({ name: "six", ipv6: true, ipam: { driver: "default", options: undefined, pools } });
  const ask = { network: "six", ipv6: "fd00:6::77" };
  return (await fixture.networks.attach("c1", { kind: "networks", endpoints: [ask] })).namespacePath ?? "";
}

async function stopIpv6(): Promise<void> {
  await fixture?.networks.forget("c1");
  await fixture?.networks.remove("six");
}

test("by IPv6 too a container reaches the outside under the host's address, and is not reached from there", async () => {
  const inside = await startIpv6();
  sh(`busybox ping6 -c 1 -W 2 ${OUTSIDE6}`, inside);
  sh("ip -6 route add fd00:6::/64 via 2001:db8:113::1", outside);
  expect(() => sh("busybox ping6 -c 1 -W 1 fd00:6::77", outside)).toThrow();
  sh("busybox ping6 -c 1 -W 2 fd00:6::77");
  // Nothing is announced to it, and nothing of it must be waited for.
  expect(sh("ip -6 addr show dev eth0", inside)).not.toContain("tentative");
  expect(sh("cat /proc/sys/net/ipv6/conf/eth0/accept_ra", inside)).toBe("0\n");
  await stopIpv6();
});

test("IPv6 works beside an ip6tables policy of DROP and leaves it as it was", async () => {
  sh("ip6tables -P FORWARD DROP");
  const before = sh("ip6tables-save -t filter | grep -v '^#' | sed 's/\\[.*//'");
  const inside = await startIpv6();
  sh(`busybox ping6 -c 1 -W 2 ${OUTSIDE6}`, inside);
  await stopIpv6();
  await stop();
  expect(sh("ip6tables-save -t filter | grep -v '^#' | sed 's/\\[.*//'")).toBe(before);
});

test("a host that has its way out from router advertisements keeps heeding them", async () => {
  const setting = () => sh("cat /proc/sys/net/ipv6/conf/up0/accept_ra");
  expect(setting()).toBe("1\n");
  await startIpv6();
  expect(sh("cat /proc/sys/net/ipv6/conf/all/forwarding")).toBe("1\n");
  expect(setting()).toBe("2\n");
  await stopIpv6();
});
