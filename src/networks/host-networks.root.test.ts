import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { HostNetworks } from "./mod.ts";
import { enterTestHost, heldNamespaces, interfaces, ON_BRIDGE, sh, testNetworks } from "./test-host.ts";

setDefaultTimeout(30_000);

const BRIDGE = "hvt0";
let host: Disposable;
let namespacesBefore: number;
let fixture: ReturnType<typeof testNetworks>;
let networks: HostNetworks;

beforeAll(() => {
  host = enterTestHost();
});
afterAll(() => host[Symbol.dispose]());
beforeEach(async () => {
  namespacesBefore = heldNamespaces();
  fixture = testNetworks(BRIDGE);
  networks = fixture.networks;
  await networks.recover(new Map());
});
/** Every test ends with nothing left: no interface, rule, forgotten endpoint or held namespace. */
afterEach(async () => {
  for (const { endpoints } of networks.list())
    for (const container of endpoints.keys()) await networks.forget(container);
  await networks.tearDown();
  await fixture.dispose();
  expect(interfaces()).toEqual(["lo"]);
  expect(sh("nft list tables")).not.toContain("havre");
  expect(heldNamespaces()).toBe(namespacesBefore);
});

async function attach(container: string): Promise<{ path: string; address: string }> {
  const { namespacePath = "", endpoints } = await networks.attach(container, ON_BRIDGE);
  return { path: namespacePath, address: endpoints[0]?.ipAddress ?? "" };
}

test("a sandbox has the address, MAC, route and loopback that its endpoint says", async () => {
  const { namespacePath, endpoints } = await networks.attach("c1", ON_BRIDGE);
  expect(endpoints[0]).toMatchObject({
    networkName: "bridge",
    ipAddress: "172.17.0.2",
    prefixLength: 16,
    gateway: "172.17.0.1",
    macAddress: "02:42:ac:11:00:02",
  });
  const seen = sh("ip -br link; ip -br -4 addr; ip -4 route; ip -6 addr show dev eth0", namespacePath);
  expect(seen).toMatch(/lo .*LOWER_UP/);
  expect(seen).toMatch(/eth0@\S+ +UP +02:42:ac:11:00:02/);
  expect(seen).toMatch(/eth0@\S+ +UP +172.17.0.2\/16/);
  expect(seen).toContain("default via 172.17.0.1 dev eth0");
  expect(seen).not.toContain("inet6");
  expect(interfaces()).toContain(endpoints[0]?.hostInterface ?? "");
});

test("a container has the MAC address it asks for, at every start, and is reached", async () => {
  for (const round of [1, 2]) {
    const mode = {
      kind: "networks",
      endpoints: [{ network: "bridge", macAddress: "02-42-AC-00-00-7f" }],
    } as const;
    const { namespacePath, endpoints } = await networks.attach("c1", mode);
    expect({ round, mac: endpoints[0]?.macAddress }).toEqual({ round, mac: "02:42:ac:00:00:7f" });
    expect(sh("cat /sys/class/net/eth0/address; ip -4 route", namespacePath)).toContain("default via 172.17.0.1");
    expect(sh("ip -br link", namespacePath)).toMatch(/eth0@\S+ +UP +02:42:ac:00:00:7f/);
    sh(`busybox ping -c 1 -W 2 ${endpoints[0]?.ipAddress}`);
    await networks.release("c1");
  }
});

test("two sandboxes and the host reach each other", async () => {
  const one = await attach("c1");
  const two = await attach("c2");
  expect(one.address).not.toBe(two.address);
  sh(`busybox ping -c 1 -W 2 ${two.address} && busybox ping -c 1 -W 2 172.17.0.1`, one.path);
  sh(`busybox ping -c 1 -W 2 ${one.address}`);
  const listener = sh(
    `busybox nc -l -p 7000 -e echo from-two >/dev/null 2>&1 & for i in $(seq 100); do ss -ltn | grep -q :7000 && break; done; echo up`,
    two.path,
  );
  expect(listener).toBe("up\n");
  expect(sh(`busybox nc -w 2 ${two.address} 7000 </dev/null`, one.path)).toBe("from-two\n");
});

test("none has a loopback interface and nothing else", async () => {
  const { namespacePath, endpoints } = await networks.attach("c1", { kind: "none" });
  expect(endpoints).toEqual([]);
  expect(sh("ip -o link | wc -l; busybox ping -c 1 -W 2 127.0.0.1 >/dev/null && echo up", namespacePath)).toBe(
    "1\nup\n",
  );
  await networks.release("c1");
});

test("host has no namespace of its own, container that of the process", async () => {
  expect(await networks.attach("c1", { kind: "host" })).toEqual({ namespacePath: undefined, endpoints: [] });
  const shared = await networks.attach("c2", { kind: "container", pid: process.pid });
  expect(shared.namespacePath).toBe(`/proc/${process.pid}/ns/net`);
  await expect(networks.attach("c3", { kind: "container", pid: 4194304 })).rejects.toThrow("does not exist");
});

test("sixty-four attached at once have sixty-four addresses and namespaces", async () => {
  const all = await Promise.all(Array.from({ length: 64 }, (_, index) => attach(`c${index}`)));
  expect(new Set(all.map(({ address }) => address)).size).toBe(64);
  const inodes = all.map(({ path }) => sh("readlink /proc/self/ns/net", path));
  expect(new Set(inodes).size).toBe(64);
  expect(networks.list().find(({ name }) => name === "bridge")?.endpoints.size).toBe(64);
});

test("two hundred cycles, eight at a time, leave nothing behind", async () => {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < 200; index = next++) {
      const { path } = await attach(`c${index}`);
      if (index % 20 === 0) sh("busybox ping -c 1 -W 2 172.17.0.1", path);
      await networks.forget(`c${index}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(networks.list().find(({ name }) => name === "bridge")?.endpoints.size).toBe(0);
});

test("a container keeps its address over stop and start, whatever is started between", async () => {
  const first = await attach("c1");
  await networks.release("c1");
  await networks.release("c1");
  const others = await Promise.all(Array.from({ length: 20 }, (_, index) => attach(`other${index}`)));
  expect(others.map(({ address }) => address)).not.toContain(first.address);
  const again = await attach("c1");
  expect(again.address).toBe(first.address);
  expect(sh("ip -br -4 addr show dev eth0; ip -4 route", again.path)).toContain(`${first.address}/16`);
  sh("busybox ping -c 1 -W 2 172.17.0.1", again.path);
});

test("an immediate restart does not share its address with the interface that is going", async () => {
  const { address } = await attach("c1");
  const before =
    networks
      .list()
      .find(({ name }) => name === "bridge")
      ?.endpoints.get("c1")?.hostInterface ?? "";
  await networks.release("c1");
  const again = await attach("c1");
  expect(again.address).toBe(address);
  expect(interfaces()).not.toContain(before);
});

test("an interface that something else still holds is deleted after its release", async () => {
  const { path } = await attach("c1");
  const endpoint = networks
    .list()
    .find(({ name }) => name === "bridge")
    ?.endpoints.get("c1");
  const holder = Bun.spawn(["nsenter", `--net=${path}`, "sleep", "60"]);
  try {
    const inside = `/proc/${holder.pid}/ns/net`;
    while (sh(`readlink ${inside}`) === sh("readlink /proc/self/ns/net")) await Bun.sleep(1);
    await networks.forget("c1");
    const deadline = Date.now() + 5000;
    while (interfaces().includes(endpoint?.hostInterface ?? "") && Date.now() < deadline) await Bun.sleep(10);
    expect(interfaces()).not.toContain(endpoint?.hostInterface ?? "");
  } finally {
    holder.kill("SIGKILL");
    await holder.exited;
  }
});

test("the three networks are listed as Docker names them, with ids that stay", async () => {
  const names = networks.list().map(({ name, driver, scope }) => `${name} ${driver} ${scope}`);
  expect(names.sort()).toEqual(["bridge bridge local", "host host local", "none null local"]);
  const ids = networks.list().map(({ id }) => id);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{64}$/);
  await networks.recover(new Map());
  expect(networks.list().map(({ id }) => id)).toEqual(ids);
});
