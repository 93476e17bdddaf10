import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { bridgeOptions } from "./bridge/mod.ts";
import type { HostNetworks } from "./mod.ts";
import { enterTestHost, interfaces, newFolder, ON_BRIDGE, sh, testNetworks } from "./test-host.ts";

setDefaultTimeout(30_000);

let host: Disposable;
beforeAll(() => {
  host = enterTestHost();
});
afterAll(() => host[Symbol.dispose]());

const bridgesOf = (networks: HostNetworks) =>
  networks
    .list()
    .filter(({ driver }) => driver === "bridge")
    .map((network) => bridgeOptions({ id: network.id, spec: network }).name);

/** Starts the daemon that is to be killed; resolves when its container runs. */
async function startDaemon(folder: string) {
  const script = join(import.meta.dirname, "test-churn.ts");
  const child = spawn(process.execPath, [script, "hvt0", folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    pid: Number(line.toString().trim()),
    kill: async () => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Moments in milliseconds: while networks are made, joined, left and removed. */
test.each([1, 15, 40, 70, 110, 160, 230, 310])(
  "killed %d ms into making and removing networks, the next daemon leaves nothing half-made",
  async (moment) => {
    const folder = newFolder();
    const daemon = await startDaemon(folder);
    const inside = `/proc/${daemon.pid}/ns/net`;
    try {
      await Bun.sleep(moment);
      await daemon.kill();
      const { networks, dispose } = testNetworks("hvt0", {}, folder);
      await networks.recover(new Map([["kept", daemon.pid]]));
      const bridges = interfaces().filter((name) => name.startsWith("br-") || name === "hvt0");
      expect(bridges.sort()).toEqual(bridgesOf(networks).sort());
      const joined = networks
        .endpointsOf("kept")
        .map(({ interfaceName, ipAddress }) => `${interfaceName} ${ipAddress}`);
      const seen = sh("ip -4 -br addr | sed -n 's/^\\(eth[0-9]*\\)@[^ ]* *[A-Z]* *\\([0-9.]*\\).*/\\1 \\2/p'", inside);
      expect(seen.trim().split("\n").sort()).toEqual([...joined].sort());
      sh("busybox ping -c 1 -W 2 $(ip route | sed -n 's/default via \\([0-9.]*\\).*/\\1/p')", inside);
      // The container goes on: other networks, another neighbour.
      await networks.create({ name: "fresh" });
      const endpoints = await networks.connect("kept", { network: "fresh" });
      const own = endpoints.find(({ networkName }) => networkName === "fresh")?.ipAddress;
      const { namespacePath } = await networks.attach("new", { kind: "networks", endpoints: [{ network: "fresh" }] });
      sh(`busybox ping -c 1 -W 2 ${own}`, namespacePath);
      for (const container of ["kept", "new"]) await networks.forget(container);
      for (const { name } of networks.list())
        if (!["bridge", "host", "none"].includes(name)) await networks.remove(name);
      await networks.tearDown();
      await dispose();
      expect(interfaces()).toEqual(["lo"]);
      expect(sh("nft list tables")).not.toContain("havre");
    } finally {
      process.kill(daemon.pid, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test("two daemons with networks of the same names leave each other's alone", async () => {
  const [one, two] = [
    testNetworks("hvt0", { subnet: "10.200.0.0/24" }),
    testNetworks("hvt1", { subnet: "10.201.0.0/24" }),
  ];
  for (const { networks } of [one, two]) await networks.recover(new Map());
  const mine = await one.networks.create({ name: "app" });
  const theirs = await two.networks.create({ name: "app" });
  expect(mine.pools[0]?.subnet).not.toBe(theirs.pools[0]?.subnet);
  const inOne = await one.networks.attach("c1", { kind: "networks", endpoints: [{ network: "app" }] });
  const inTwo = await two.networks.attach("c1", { kind: "networks", endpoints: [{ network: "app" }] });
  const [a, b] = [inOne, inTwo].map(({ endpoints }) => endpoints[0]?.ipAddress);
  expect(() => sh(`busybox ping -c 1 -W 1 ${b}`, inOne.namespacePath)).toThrow();
  await two.networks.recover(new Map());
  expect(interfaces()).toContain(bridgeOptions({ id: mine.id, spec: mine }).name);
  await two.networks.forget("c1");
  await two.networks.remove("app");
  await two.networks.tearDown();
  await two.dispose();
  const { namespacePath } = await one.networks.attach("c2", { kind: "networks", endpoints: [{ network: "app" }] });
  sh(`busybox ping -c 1 -W 2 ${a}`, namespacePath);
  for (const container of ["c1", "c2"]) await one.networks.forget(container);
  await one.networks.remove("app");
  await one.networks.tearDown();
  await one.dispose();
  expect(interfaces()).toEqual(["lo"]);
});

test("many networks made at once have subnets and bridges of their own", async () => {
  const { networks, dispose } = testNetworks("hvt0");
  await networks.recover(new Map());
  const made = await Promise.all(Array.from({ length: 12 }, (_, index) => networks.create({ name: `n${index}` })));
  expect(new Set(made.map(({ pools }) => pools[0]?.subnet)).size).toBe(12);
  const twice = await Promise.allSettled([networks.create({ name: "same" }), networks.create({ name: "same" })]);
  expect(twice.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  // Of joining and removing at the same time one is refused.
  const [joined, removed] = await Promise.allSettled([
    networks.attach("c1", { kind: "networks", endpoints: [{ network: "same" }] }),
    networks.remove("same"),
  ]);
  expect([joined.status, removed.status].sort()).toEqual(["fulfilled", "rejected"]);
  await networks.attach("c2", ON_BRIDGE);
  for (const container of ["c1", "c2"]) await networks.forget(container);
  for (const { name, driver } of networks.list())
    if (driver === "bridge" && name !== "bridge") await networks.remove(name);
  await networks.tearDown();
  await dispose();
  expect(interfaces()).toEqual(["lo"]);
});
