import { expect, test } from "bun:test";
import { isHavreError } from "../base/mod.ts";
import {
  addAddress,
  addRoute,
  createBridge,
  createNetworkNamespace,
  createVeth,
  deleteLink,
  findLink,
  inNetworkNamespace,
  interfaceExists,
  listAddresses,
  listLinks,
  listRoutes,
  NetlinkSocket,
  openNetworkNamespace,
  setLink,
  writeSysctl,
} from "./mod.ts";

const MAC = Uint8Array.of(2, 0x42, 10, 9, 0, 2);

test("a namespace's socket sees only that namespace, wherever the thread is", () => {
  const { namespace, socket } = createNetworkNamespace();
  using home = new NetlinkSocket();
  expect(listLinks(socket).map(({ name }) => name)).toEqual(["lo"]);
  socket.transact([createBridge("hvk0", { mtu: 1400 })]);
  expect(findLink(socket, "hvk0")).toMatchObject({ name: "hvk0", kind: "bridge", mtu: 1400, up: false });
  expect(findLink(home, "hvk0")).toBeUndefined();
  expect(interfaceExists("hvk0")).toBe(false);
  expect(inNetworkNamespace(namespace, () => interfaceExists("hvk0"))).toBe(true);
  expect(interfaceExists("hvk0")).toBe(false);
  socket.transact([deleteLink("hvk0")]);
  expect(findLink(socket, "hvk0")).toBeUndefined();
  socket[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

test("a veth pair spans two namespaces and carries what it was given", () => {
  const near = createNetworkNamespace();
  const far = createNetworkNamespace();
  near.socket.transact([createBridge("br0"), setLink("br0", { up: true, alias: "mine" })]);
  const master = findLink(near.socket, "br0")?.index ?? 0;
  const peer = { name: "eth0", mac: MAC, namespace: far.namespace.fd };
  near.socket.transact([createVeth({ name: "veth0", master, mtu: 1450, peer }), setLink("veth0", { up: true })]);
  const inside = findLink(far.socket, "eth0");
  expect(inside).toMatchObject({ kind: "veth", mac: "02:42:0a:09:00:02", mtu: 1450, up: false });
  expect(findLink(near.socket, "veth0")).toMatchObject({ master, kind: "veth", up: true });
  expect(findLink(near.socket, "br0")?.alias).toBe("mine");
  const index = inside?.index ?? 0;
  far.socket.transact([
    addAddress(index, { address: Uint8Array.of(10, 9, 0, 2), prefixLength: 24 }),
    setLink(index, { up: true }),
    addRoute({ gateway: Uint8Array.of(10, 9, 0, 1) }),
  ]);
  const own = listAddresses(far.socket).find(({ address }) => address.byteLength === 4);
  expect(own).toMatchObject({ index, prefixLength: 24, address: Buffer.from([10, 9, 0, 2]) });
  const route = listRoutes(far.socket).find(
    ({ family, table, prefixLength }) => family === 4 && table === 254 && prefixLength === 0,
  );
  expect(route).toMatchObject({ gateway: Buffer.from([10, 9, 0, 1]), outInterface: index });
  for (const { socket, namespace } of [near, far]) {
    socket[Symbol.dispose]();
    namespace[Symbol.dispose]();
  }
});

test("an error carries the errno, the object and the kernel's own words; the rest of the batch was done", () => {
  const { namespace, socket } = createNetworkNamespace();
  try {
    socket.transact([setLink("nosuch0", { up: true }), setLink("lo", { up: true })]);
    throw new Error("not refused");
  } catch (error) {
    expect(isHavreError(error)).toBe(true);
    expect(String(error)).toContain("nosuch0: ENODEV");
  }
  expect(findLink(socket, "lo")?.up).toBe(true);
  // 10.9.0.1 cannot be reached: the kernel says so in an extended acknowledgement.
  expect(() => socket.transact([addRoute({ gateway: Uint8Array.of(10, 9, 0, 1) })])).toThrow(
    /ENETUNREACH \(.*gateway/i,
  );
  socket[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

test("the thread is home again after work in a namespace that throws", () => {
  const { namespace, socket } = createNetworkNamespace();
  expect(() =>
    inNetworkNamespace(namespace, () => {
      throw new Error("inside");
    }),
  ).toThrow("inside");
  using home = new NetlinkSocket();
  expect(listLinks(home).length).toBeGreaterThan(1);
  socket[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

test("settings below /proc/sys/net are the namespace's; an unknown one is told", () => {
  const { namespace, socket } = createNetworkNamespace();
  const read = () => inNetworkNamespace(namespace, () => writeSysctl("net/ipv4/ip_forward", "1"));
  expect(read()).toBe(true);
  expect(writeSysctl("net/ipv4/no_such_setting", "1")).toBe(false);
  using same = openNetworkNamespace(namespace.path);
  expect(same.fd).not.toBe(namespace.fd);
  socket[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

test("another thread may not enter a namespace", async () => {
  const code = `
    const { createNetworkNamespace } = await import(${JSON.stringify(new URL("./mod.ts", import.meta.url).href)});
    try { createNetworkNamespace(); postMessage("entered"); } catch (error) { postMessage(error.message); }`;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(url);
  try {
    const said = await new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
    expect(said).toBe("Network namespaces can be entered from the main thread only");
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
});
