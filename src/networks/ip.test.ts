import { expect, test } from "bun:test";
import {
  addressBytes,
  addressFromBytes,
  contains,
  formatAddress,
  formatMac,
  formatSubnet,
  knownSubnet,
  lastOf,
  macBytes,
  overlap,
  parseAddress,
  parseCidr,
  parseIpv4,
  parseSubnet,
} from "./ip.ts";

test.each(["0.0.0.0", "10.0.0.1", "172.17.255.255", "255.255.255.255"])("%s is read and written", (text) => {
  const parsed = parseAddress(text);
  expect(parsed?.family).toBe(4);
  expect(formatAddress(4, parsed?.address ?? 0n)).toBe(text);
});

test.each([
  ["::", "::"],
  ["::1", "::1"],
  ["fd00:0:0:1::", "fd00:0:0:1::"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["fe80:0:0:0:0:0:0:10", "fe80::10"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
  ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
  ["10::0:0:1:0:0", "10::1:0:0"],
  ["::ffff:10.0.0.1", "::ffff:a00:1"],
])("%s is written as RFC 5952 wants: %s", (text, short) => {
  const parsed = parseAddress(text);
  expect(parsed?.family).toBe(6);
  expect(formatAddress(6, parsed?.address ?? 0n)).toBe(short);
  expect(addressFromBytes(addressBytes(6, parsed?.address ?? 0n))).toBe(parsed?.address ?? -1n);
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "256.1.1.1",
  "01.2.3.4",
  "1.2.3.4/8",
  " 1.2.3.4",
  "fe80::1%eth0",
  ":::",
  "1::2::3",
])("%j is no address", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test("a network in CIDR form, with or without host bits", () => {
  expect(parseCidr("10.0.0.7/24")).toEqual({ subnet: knownSubnet("10.0.0.0/24"), address: 0x0a000007n });
  expect(formatSubnet(knownSubnet("fd00:1:2:3:4::5/64"))).toBe("fd00:1:2:3::/64");
  for (const text of ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "/8", "10.0.0.0/8/8", "10.0.0.0/-1"])
    expect(parseCidr(text)).toBeUndefined();
});

test("the default bridge's subnet has room for a gateway and containers", () => {
  expect(formatSubnet(parseSubnet("172.17.0.0/16"))).toBe("172.17.0.0/16");
  expect(() => parseSubnet("172.17.0.0/30")).toThrow("Invalid subnet");
  expect(() => parseSubnet("172.17.0.1/16")).toThrow("host bits");
  expect(() => parseSubnet("fd00::/64")).toThrow("Invalid subnet");
});

test("what is in a subnet, and which overlap", () => {
  const subnet = knownSubnet("10.1.0.0/16");
  expect(formatAddress(4, lastOf(subnet))).toBe("10.1.255.255");
  expect(contains(subnet, parseIpv4("10.1.255.255") ?? 0n)).toBe(true);
  expect(contains(subnet, parseIpv4("10.2.0.0") ?? 0n)).toBe(false);
  expect(overlap(subnet, knownSubnet("10.0.0.0/8"))).toBe(true);
  expect(overlap(subnet, knownSubnet("10.2.0.0/16"))).toBe(false);
  expect(overlap(knownSubnet("::/0"), subnet)).toBe(false);
});

test("a MAC address is made from an address as Docker makes it", () => {
  expect(formatMac(macBytes(parseIpv4("172.17.0.2") ?? 0n))).toBe("02:42:ac:11:00:02");
});
