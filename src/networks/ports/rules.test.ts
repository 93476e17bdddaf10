import { expect, test } from "bun:test";
import { type Element, elementText, encodeElement } from "./elements.ts";
import { bridgeElements, portElements } from "./rules.ts";

const target = { ipAddress: "10.0.0.2", ipv6Address: "", hostInterface: "veth0" };
const port = { protocol: "tcp", containerPort: 80, hostAddress: "0.0.0.0", hostPort: 8080, open: false } as const;
const shown = (elements: readonly Element[]) => elements.map((one) => `${one.family} ${one.set}: ${elementText(one)}`);

test("a port of all addresses leads in, and is guarded", () => {
  expect(shown(portElements(port, target, "web"))).toEqual([
    'ip anywhere: 6 . 8080 comment "web" : 10.0.0.2 . 80',
    "ip guarded_anywhere: 6 . 8080",
  ]);
});

test("a port of one address is open when the operator says so", () => {
  const open = { ...port, hostAddress: "192.0.2.1", open: true };
  expect(shown(portElements(open, target, "web"))).toEqual([
    'ip addressed: 6 . 192.0.2.1 . 8080 comment "web" : 10.0.0.2 . 80',
    "ip open_addressed: 6 . 192.0.2.1 . 8080",
  ]);
});

test("nobody from outside is led to a loopback address, opened or not", () => {
  const loopback = { ...port, hostAddress: "127.0.0.1", open: true };
  expect(shown(portElements(loopback, target, "web"))).toEqual([
    'ip addressed: 6 . 127.0.0.1 . 8080 comment "web" : 10.0.0.2 . 80',
  ]);
  const dual = { ...target, ipv6Address: "fd00::2" };
  expect(portElements({ ...port, hostAddress: "::1" }, dual, "web")).toEqual([]);
});

test("IPv6 leads to containers that have it only", () => {
  const six = { ...port, hostAddress: "::" };
  expect(portElements(six, target, "web")).toEqual([]);
  expect(shown(portElements(six, { ...target, ipv6Address: "fd00::2" }, "web"))[0]).toBe(
    'ip6 anywhere: 6 . 8080 comment "web" : fd00::2 . 80',
  );
});

test("the kernel is told the same as nft", () => {
  const [lead] = portElements({ ...port, hostAddress: "192.0.2.1" }, target, "web");
  const { key, value } = encodeElement("t", lead as Element);
  expect(Buffer.from(key).toString("hex")).toBe("06000000" + "c0000201" + "1f900000");
  expect(Buffer.from(value ?? []).toString("hex")).toBe("0a000002" + "00500000");
  const subnet = bridgeElements({ name: "br0", internal: false, subnets: ["10.0.0.0/24"] }).at(-1);
  expect(subnet && elementText(subnet)).toBe('"br0" . 10.0.0.0/24');
  const encoded = encodeElement("t", subnet as Element);
  expect(Buffer.from(encoded.key).toString("hex")).toBe(`627230${"00".repeat(13)}0a000000`);
  expect(Buffer.from(encoded.keyEnd ?? []).toString("hex")).toBe(`627230${"00".repeat(13)}0a0000ff`);
});
