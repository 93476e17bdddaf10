import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { enterTestHost, sh, testNetworks } from "./test-host.ts";

let host: Disposable;
let fixture: ReturnType<typeof testNetworks>;
beforeAll(() => {
  host = enterTestHost();
});
afterAll(() => host[Symbol.dispose]());
beforeEach(async () => {
  fixture = testNetworks("hvt0");
  await fixture.networks.recover(new Set());
});
afterEach(async () => {
  for (const network of fixture.networks.list()) {
    for (const container of network.endpoints.keys()) await fixture.networks.forget(container);
  }
  await fixture.networks.tearDown();
  await fixture.dispose();
  expect(sh("ip -o link | grep -v ' lo:' || true")).toBe("");
  expect(sh("nft list tables")).not.toContain("havre");
});

async function attach(container: string): Promise<{ path: string; address: string }> {
  const sandbox = await fixture.networks.attach(container, { kind: "bridge" });
  return { path: sandbox.namespacePath ?? "", address: sandbox.endpoints[0]?.ipAddress ?? "" };
}

test("a sandbox has the address, MAC, route and loopback that its endpoint says", async () => {
  const sandbox = await fixture.networks.attach("c1", { kind: "bridge" });
  const [endpoint] = sandbox.endpoints;
  expect(endpoint).toMatchObject({ ipAddress: "172.17.0.2", prefixLength: 16, gateway: "172.17.0.1" });
  expect(endpoint?.macAddress).toBe("02:42:ac:11:00:02");
  const links = sh(
    "ip -br link; ip -br -4 addr; ip -4 route; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6",
    sandbox.namespacePath,
  );
  expect(links).toMatch(/lo .*LOWER_UP/);
  expect(links).toMatch(/eth0@\S+ +UP +02:42:ac:11:00:02/);
  expect(links).toMatch(/eth0@\S+ +UP +172.17.0.2\/16/);
  expect(links).toContain("default via 172.17.0.1 dev eth0");
  expect(links.trim().endsWith("1")).toBe(true);
});

test("two sandboxes reach each other and the gateway", async () => {
  const one = await attach("c1");
  const two = await attach("c2");
  expect(one.address).not.toBe(two.address);
  sh(`busybox ping -c 1 -W 2 ${two.address} && busybox ping -c 1 -W 2 172.17.0.1`, one.path);
});

test("none has a loopback interface and nothing else", async () => {
  const sandbox = await fixture.networks.attach("c1", { kind: "none" });
  expect(sh("ip -o link | wc -l; busybox ping -c 1 -W 2 127.0.0.1 >/dev/null && echo up", sandbox.namespacePath)).toBe(
    "1\nup\n",
  );
  await fixture.networks.release("c1");
});
