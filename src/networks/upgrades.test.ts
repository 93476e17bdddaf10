import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineKind, SqliteStore } from "../store/mod.ts";
import { endpointKind, networkKind } from "./model.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-networks-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Objects as the first daemons wrote them, read by this one. */
async function read(kind: string, id: string, rest: object) {
  const path = join(folder, "state.db");
  const old = new SqliteStore(path);
  await old.update((tx) => tx.put(defineKind<{ readonly id: string }>(kind), { id, ...rest }));
  old.close();
  const store = new SqliteStore(path);
  try {
    return store.view((tx) => tx.get(networkKind, id) ?? tx.get(endpointKind, id));
  } finally {
    store.close();
  }
}

test("a network with one subnet", async () => {
  const stored = { name: "bridge", driver: "bridge", created: 7, subnet: "10.1.0.0/16", gateway: "10.1.0.1" };
  expect(await read("network", "n", stored)).toMatchObject({
    id: "n",
    name: "bridge",
    created: 7,
    spec: { driver: "bridge", ipv6: false, options: {}, labels: {} },
    pools: [{ subnet: "10.1.0.0/16", gateway: "10.1.0.1" }],
  });
  expect(await read("network", "h", { name: "host", driver: "host", created: 7 })).toMatchObject({ pools: [] });
});

test("an endpoint with one address, from which its hardware address came unless one was asked for", async () => {
  const stored = {
    endpointId: "e",
    containerId: "c",
    networkId: "n",
    ipAddress: "10.1.0.20",
    hostInterface: "veth1",
    attached: true,
  };
  expect(await read("endpoint", "n/c", stored)).toEqual({
    id: "n/c",
    ...stored,
    macAddress: "02:42:0a:01:00:14",
    ipv6Address: "",
    interfaceName: "eth0",
    aliases: [],
    dnsNames: [],
    links: [],
    driverOptions: {},
    gatewayPriority: 0,
  });
  const asked = await read("endpoint", "n/d", { ...stored, macAddress: "02:00:00:00:00:01", attached: false });
  expect(asked).toMatchObject({ macAddress: "02:00:00:00:00:01", attached: false });
});
