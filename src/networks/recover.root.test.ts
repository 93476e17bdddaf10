import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { HostNetworks } from "./mod.ts";
import { enterTestHost, interfaces, newFolder, ON_BRIDGE, sh, testNetworks } from "./test-host.ts";

setDefaultTimeout(30_000);

let host: Disposable;
beforeAll(() => {
  host = enterTestHost();
});
afterAll(() => host[Symbol.dispose]());

const attached = (networks: HostNetworks) =>
  new Map(networks.list().find(({ name }) => name === "bridge")?.endpoints ?? []);
const veths = () => interfaces().filter((name) => name.startsWith("veth"));

async function remove(fixture: ReturnType<typeof testNetworks>): Promise<void> {
  for (const container of attached(fixture.networks).keys()) await fixture.networks.forget(container);
  await fixture.networks.tearDown();
  await fixture.dispose();
}

/** Starts the daemon that is to be killed; resolves when its two containers run. */
async function startDaemon(bridge: string, folder: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "test-daemon.ts"), bridge, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const [kept = 0, lost = 0] = line.toString().trim().split(" ").map(Number);
  return {
    pids: { kept, lost },
    kill: async () => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Moments in milliseconds after both containers run: while others are attached, released and forgotten. */
test.each([0, 3, 7, 12, 20, 31, 45, 70])(
  "killed %d ms into its work, the next daemon finds and frees all",
  async (moment) => {
    const folder = newFolder();
    const daemon = await startDaemon("hvt0", folder);
    try {
      const address = sh("ip -4 -br addr show dev eth0", `/proc/${daemon.pids.kept}/ns/net`).match(
        /[\d.]+(?=\/16)/,
      )?.[0];
      await Bun.sleep(moment);
      await daemon.kill();
      expect(existsSync(`/proc/${daemon.pids.kept}/ns/net`)).toBe(true);
      const fixture = testNetworks("hvt0", {}, folder);
      await fixture.networks.recover(new Map([["kept", undefined]]));
      const found = attached(fixture.networks);
      expect([...found.keys()]).toEqual(["kept"]);
      expect(found.get("kept")?.ipAddress).toBe(address ?? "none");
      // "lost" still runs, but belongs to no container: its way into the network is closed.
      expect(sh("ip -o link | grep -c eth0 || true", `/proc/${daemon.pids.lost}/ns/net`)).toBe("0\n");
      const fresh = await fixture.networks.attach("fresh", ON_BRIDGE);
      sh(`busybox ping -c 1 -W 2 ${address}`, fresh.namespacePath);
      const others = await Promise.all(
        Array.from({ length: 30 }, (_, index) => fixture.networks.attach(`n${index}`, ON_BRIDGE)),
      );
      const addresses = [address, ...[fresh, ...others].map(({ endpoints }) => endpoints[0]?.ipAddress)];
      expect(new Set(addresses).size).toBe(32);
      await remove(fixture);
      expect(interfaces()).toEqual(["lo"]);
    } finally {
      for (const pid of [daemon.pids.kept, daemon.pids.lost]) process.kill(pid, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test("a daemon that ends and starts again keeps its containers' network working", async () => {
  const folder = newFolder();
  const first = testNetworks("hvt0", {}, folder);
  await first.networks.recover(new Map());
  const { namespacePath = "", endpoints } = await first.networks.attach("c1", ON_BRIDGE);
  const process = Bun.spawn(["nsenter", `--net=${namespacePath}`, "sh", "-c", "echo in; exec sleep 60"], {
    stdout: "pipe",
  });
  try {
    await process.stdout.getReader().read();
    const before = attached(first.networks).get("c1");
    await first.networks.close();
    first.store.close();
    const second = testNetworks("hvt0", {}, folder);
    await second.networks.recover(new Map([["c1", undefined]]));
    expect(attached(second.networks).get("c1")).toEqual(before);
    expect(veths()).toContain(endpoints[0]?.hostInterface ?? "");
    sh("busybox ping -c 1 -W 2 172.17.0.1", `/proc/${process.pid}/ns/net`);
    process.kill("SIGKILL");
    await process.exited;
    await remove(second);
  } finally {
    process.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

test("two daemons side by side leave each other's alone", async () => {
  const one = testNetworks("hvt0", { subnet: "10.200.0.0/24" });
  const two = testNetworks("hvt1", { subnet: "10.201.0.0/24" });
  await one.networks.recover(new Map());
  await two.networks.recover(new Map());
  const ofOne = await one.networks.attach("c1", ON_BRIDGE);
  const ofTwo = await two.networks.attach("c1", ON_BRIDGE);
  expect(ofOne.endpoints[0]?.ipAddress).toMatch(/^10\.200\.0\./);
  expect(ofTwo.endpoints[0]?.ipAddress).toMatch(/^10\.201\.0\./);
  expect(() => sh(`busybox ping -c 1 -W 1 ${ofTwo.endpoints[0]?.ipAddress}`, ofOne.namespacePath)).toThrow();
  const over = testNetworks("hvt2", { subnet: "10.200.0.128/25" });
  await expect(over.networks.recover(new Map())).rejects.toThrow("it overlaps 10.200.0.0/24");
  await over.dispose();
  await two.networks.recover(new Map());
  await remove(two);
  sh("busybox ping -c 1 -W 2 10.200.0.1", ofOne.namespacePath);
  expect(sh("nft list tables")).toBe("table inet havre-egress-hvt0\ntable inet havre-hvt0\ntable bridge havre-hvt0\n");
  await remove(one);
  expect(interfaces()).toEqual(["lo"]);
});

test("a daemon with another root and the same bridge is refused while that has containers", async () => {
  const one = testNetworks("hvt0");
  await one.networks.recover(new Map());
  await one.networks.attach("c1", ON_BRIDGE);
  const two = testNetworks("hvt0", { subnet: "10.201.0.0/24" });
  await expect(two.networks.recover(new Map())).rejects.toThrow("in use by another daemon");
  await two.dispose();
  await remove(one);
});

test("a small subnet is used to its last address and not beyond", async () => {
  const fixture = testNetworks("hvt0", { subnet: "10.200.0.0/29" });
  await fixture.networks.recover(new Map());
  const five = await Promise.all(
    Array.from({ length: 5 }, (_, index) => fixture.networks.attach(`c${index}`, ON_BRIDGE)),
  );
  const addresses = five.map(({ endpoints }) => endpoints[0]?.ipAddress).sort();
  expect(addresses).toEqual(["10.200.0.2", "10.200.0.3", "10.200.0.4", "10.200.0.5", "10.200.0.6"]);
  await expect(fixture.networks.attach("c6", ON_BRIDGE)).rejects.toThrow("no available IPv4 addresses");
  await expect(fixture.networks.tearDown()).rejects.toThrow("has 5 containers");
  // Addresses just given back can be had again as soon as the kernel is done with their interfaces.
  await Promise.all(Array.from({ length: 5 }, (_, index) => fixture.networks.forget(`c${index}`)));
  const again = Array.from({ length: 5 }, (_, index) => fixture.networks.attach(`d${index}`, ON_BRIDGE));
  expect((await Promise.all(again)).map(({ endpoints }) => endpoints[0]?.ipAddress).sort()).toEqual(addresses);
  await remove(fixture);
});
