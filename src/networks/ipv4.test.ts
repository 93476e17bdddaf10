import { expect, test } from "bun:test";
import { defaultSubnets, firstFreeSubnet, formatIpv4, formatSubnet, macOf, parseIpv4, parseSubnet } from "./ipv4.ts";

test.each(["0.0.0.0", "172.17.0.2", "255.255.255.255", "10.0.200.1"])("%s survives parsing and printing", (text) => {
  expect(formatIpv4(parseIpv4(text) ?? -1)).toBe(text);
});

test.each(["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.x", " 1.2.3.4", "1.2.3.4/8", "::1"])(
  "%p is not an address",
  (text) => {
    expect(parseIpv4(text)).toBeUndefined();
  },
);

test.each([
  ["172.17.0.0", "Invalid subnet"],
  ["172.17.0.0/33", "Invalid subnet"],
  ["172.17.0.0/30", "Invalid subnet"],
  ["172.17.0.5/16", "host bits"],
  ["a/16", "Invalid subnet"],
  ["172.17.0.0/16x", "Invalid subnet"],
])("%s is refused as a subnet", (text, message) => {
  expect(() => parseSubnet(text)).toThrow(message);
});

test("the MAC address is Docker's", () => {
  expect(macOf(parseIpv4("172.17.0.3") ?? 0)).toBe("02:42:ac:11:00:03");
});

test("the default subnets are Docker's, the first that overlaps nothing is taken", () => {
  const all = defaultSubnets().map(formatSubnet);
  expect(all.slice(0, 2)).toEqual(["172.17.0.0/16", "172.18.0.0/16"]);
  expect(all.slice(14, 17)).toEqual(["172.31.0.0/16", "192.168.0.0/20", "192.168.16.0/20"]);
  const taken = ["172.17.4.0/24", "172.18.0.0/15", "172.20.0.0/14", "172.24.0.0/13"].map(parseSubnet);
  const free = firstFreeSubnet(defaultSubnets(), taken);
  expect(free && formatSubnet(free)).toBe("192.168.0.0/20");
  expect(
    firstFreeSubnet(
      [parseSubnet("172.17.0.0/16")],
      [
        { base: 0, prefixLength: 1 },
        { base: 2 ** 31, prefixLength: 1 },
      ],
    ),
  ).toBeUndefined();
});
