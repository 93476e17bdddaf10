import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { isHavreError } from "../../base/mod.ts";
import type { HostNetworks, NetworkMode, NetworkSpec } from "../mod.ts";
import { makeBareSandbox } from "../sandboxes.ts";
import { enterTestHost, interfaces, newFolder, sh, testNetworks } from "../test-host.ts";

setDefaultTimeout(30_000);

const HOST = "10.77.0.1";
const NEIGHBOUR = "10.77.0.2";
const ping = (address: string) => `busybox ping -c 1 -W 1 ${address}`;

let home: Disposable;
let outside: ReturnType<typeof makeBareSandbox>;
let fixture: ReturnType<typeof testNetworks>;
let networks: HostNetworks;
let folder: string;

/** A host with one interface, and a neighbour on the network that this is on. */
beforeEach(async () => {
  home = enterTestHost();
  outside = makeBareSandbox();
  makeUplink();
  folder = newFolder();
  fixture = testNetworks("hvt0", {}, folder);
  networks = fixture.networks;
  await networks.recover(new Map());
});
afterEach(async () => {
  for (const { endpoints } of networks.list()) for (const id of endpoints.keys()) await networks.forget(id);
  await networks.tearDown();
  await fixture.dispose();
  outside[Symbol.dispose]();
  expect(interfaces().filter((name) => name !== "up0")).toEqual(["lo"]);
  home[Symbol.dispose]();
});

function makeUplink(): void {
  sh(`ip link add up0 type veth peer name up1 && ip addr add ${HOST}/24 dev up0 && ip link set up0 up`);
  sh(`ip link set up1 netns ${outside.path}`);
  sh(`ip addr add ${NEIGHBOUR}/24 dev up1 && ip link set up1 up && ip link show dev up1`, outside.path);
  expect(sh("ip link show dev up0")).toContain("state UP");
}

function create(name: string, options: NetworkSpec["options"]) {
  const pools = [{ subnet: "10.77.0.0/24", ipRange: "10.77.0.128/25", gateway: NEIGHBOUR }];
  const ipam = { driver: "default", options: undefined, pools };
  return networks.create({ name, driver: "macvlan", options: { parent: "up0", ...options }, ipam });
}

const on = (network: string, ipv4?: string): NetworkMode => ({
  kind: "networks",
  endpoints: [{ network, ...(ipv4 === undefined ? {} : { ipv4 }) }],
});

async function attach(container: string, mode: NetworkMode): Promise<{ path: string; address: string; mac: string }> {
  const { namespacePath = "", endpoints } = await networks.attach(container, mode);
  return { path: namespacePath, address: endpoints[0]?.ipAddress ?? "", mac: endpoints[0]?.macAddress ?? "" };
}

test("a container has a MAC address of its own that the neighbour sees, and the host does not reach it", async () => {
  await create("lan", {});
  const { path, address, mac } = await attach("c1", on("lan"));
  expect(address).toBe("10.77.0.128");
  expect(mac).toBe("02:42:0a:4d:00:80");
  sh(ping(NEIGHBOUR), path);
  sh(ping(address), outside.path);
  expect(sh(`ip neigh show ${address}`, outside.path)).toContain(`lladdr ${mac}`);
  expect(sh("ip -br link", path)).toContain(mac);
  expect(sh("ip route", path)).toContain(`default via ${NEIGHBOUR}`);
  expect(() => sh(ping(address))).toThrow();
  expect(() => sh(ping(HOST), path)).toThrow();
});

test.each([
  ["bridge", true],
  ["private", false],
  ["vepa", false],
])("in mode %s, that containers reach each other is %p", async (mode, reach) => {
  await create("lan", { macvlan_mode: mode });
  const one = await attach("c1", on("lan"));
  const two = await attach("c2", on("lan", "10.77.0.200"));
  expect(two.address).toBe("10.77.0.200");
  sh(ping(NEIGHBOUR), one.path);
  if (reach) sh(ping(two.address), one.path);
  else expect(() => sh(ping(two.address), one.path)).toThrow();
});

test("in mode passthru there is one container", async () => {
  await create("lan", { macvlan_mode: "passthru" });
  await attach("c1", on("lan"));
  await expect(networks.attach("c2", on("lan"))).rejects.toThrow("up0");
});

test("a container on a bridge too is reached both ways", async () => {
  await create("lan", {});
  const bridge = { network: "bridge" };
  const { namespacePath = "", endpoints } = await networks.attach("c1", {
    kind: "networks",
    endpoints: [bridge, { network: "lan" }],
  });
  expect(endpoints.map(({ interfaceName }) => interfaceName)).toEqual(["eth0", "eth1"]);
  sh(ping(NEIGHBOUR), namespacePath);
  sh(ping(endpoints[0]?.ipAddress ?? ""));
  expect((await networks.disconnect("c1", "lan")).map(({ networkName }) => networkName)).toEqual(["bridge"]);
  expect(sh("ip -o link", namespacePath)).not.toContain("eth1");
  await networks.connect("c1", { network: "lan", ipv4: "10.77.0.201" });
  sh(ping(NEIGHBOUR), namespacePath);
  expect(sh("ip -4 -o addr", namespacePath)).toContain("10.77.0.201/24");
});

test.each([
  [{ parent: "" }, "needs the interface of the host"],
  [{ parent: "nosuch0" }, "parent interface nosuch0 was not found on the host"],
  [{ parent: "nosuch0.7" }, "parent interface nosuch0 was not found on the host"],
  [{ parent: "a/b" }, "Invalid interface name"],
  [{ macvlan_mode: "sideways" }, "requested macvlan mode 'sideways' is not valid"],
])("options %p are refused and leave nothing", async (options, text) => {
  const before = networks.list().length;
  await expect(create("lan", options)).rejects.toThrow(text);
  expect(networks.list().length).toBe(before);
});

test("one network has a parent", async () => {
  await create("lan", {});
  await expect(create("lan2", {})).rejects.toThrow("is already using parent interface up0");
});

test("a VLAN's part of the parent is made and removed with the network, or refused where the kernel has none", async () => {
  try {
    await create("vlan", { parent: "up0.10" });
  } catch (error) {
    expect(isHavreError(error, "not-implemented")).toBe(true);
    expect(String(error)).toContain("This kernel has no VLANs");
    return;
  }
  expect(interfaces()).toContain("up0.10");
  await networks.remove("vlan");
  expect(interfaces()).not.toContain("up0.10");
});

test("a parent that vanishes is named, and used again when it is back", async () => {
  await create("lan", {});
  const { path } = await attach("c1", on("lan"));
  sh("ip link delete up0");
  expect(sh("ip -o link", path)).not.toContain("eth0");
  await expect(networks.attach("c2", on("lan"))).rejects.toThrow("parent interface up0 was not found on the host");
  // What is left of it in the container that runs can be taken away.
  expect(await networks.disconnect("c1", "lan")).toEqual([]);
  makeUplink();
  const { path: again } = await attach("c2", on("lan"));
  sh(ping(NEIGHBOUR), again);
});

test("a new daemon keeps running containers' addresses, and gives none of them to another", async () => {
  await create("lan", {});
  const { path, address } = await attach("c1", on("lan"));
  const holder = Bun.spawn(["nsenter", `--net=${path}`, "sh", "-c", "echo in; exec sleep 60"], { stdout: "pipe" });
  try {
    await holder.stdout.getReader().read();
    await networks.close();
    fixture.store.close();
    fixture = testNetworks("hvt0", {}, folder);
    networks = fixture.networks;
    await networks.recover(new Map([["c1", holder.pid]]));
    expect(networks.endpointsOf("c1").map(({ ipAddress }) => ipAddress)).toEqual([address]);
    sh(ping(NEIGHBOUR), `/proc/${holder.pid}/ns/net`);
    const other = await attach("c2", on("lan"));
    expect(other.address).not.toBe(address);
    // One that a killed daemon had given and not written down goes, one that the container made itself stays.
    sh(`ip link add stray link up0 type macvlan && ip link set stray netns ${holder.pid}`);
    sh('ip link set stray alias "havre x y"', `/proc/${holder.pid}/ns/net`);
    sh("ip link add own link eth0 type macvlan", `/proc/${holder.pid}/ns/net`);
    await networks.close();
    fixture.store.close();
    fixture = testNetworks("hvt0", {}, folder);
    networks = fixture.networks;
    await networks.recover(new Map([["c1", holder.pid]]));
    const left = sh("ip -br link", `/proc/${holder.pid}/ns/net`);
    expect(left).not.toContain("stray");
    expect(left).toContain("own@");
  } finally {
    holder.kill("SIGKILL");
    await holder.exited;
  }
});
