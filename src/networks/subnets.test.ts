import { describe, expect, test } from "bun:test";
import { formatSubnet, knownSubnet } from "./ip.ts";
import { DEFAULT_POOLS, firstFreeSubnet, parseDefaultPool } from "./subnets.ts";

function all(pools = DEFAULT_POOLS, taken: string[] = []): string[] {
  const found: string[] = [];
  for (;;) {
    const subnet = firstFreeSubnet(pools, 4, [...taken, ...found].map(knownSubnet));
    if (!subnet) return found;
    found.push(formatSubnet(subnet));
  }
}

describe("subnets for networks that name none", () => {
  test("come in Docker's order, until there is none", () => {
    const found = all();
    expect(found.slice(0, 2)).toEqual(["172.17.0.0/16", "172.18.0.0/16"]);
    expect(found.slice(14, 17)).toEqual(["172.31.0.0/16", "192.168.0.0/20", "192.168.16.0/20"]);
    expect(found.length).toBe(31);
  });

  test("leave out what overlaps one in use, smaller or larger", () => {
    const found = all(DEFAULT_POOLS, ["172.16.0.0/12", "192.168.1.0/24"]);
    expect(found[0]).toBe("192.168.16.0/20");
    expect(found.length).toBe(15);
  });

  test("come from the pools that were given, of each family", () => {
    const pools = [parseDefaultPool("base=10.10.0.0/22,size=24"), parseDefaultPool("size=64,base=fd00:10::/62")];
    expect(all(pools)).toEqual(["10.10.0.0/24", "10.10.1.0/24", "10.10.2.0/24", "10.10.3.0/24"]);
    const second = firstFreeSubnet(pools, 6, [knownSubnet("fd00:10::/64")]);
    expect(second && formatSubnet(second)).toBe("fd00:10:0:1::/64");
  });

  test.each([
    "",
    "base=10.0.0.0/8",
    "base=10.0.0.0/16,size=8",
    "base=x,size=24",
    "base=10.0.0.0/16,size=30",
    "size=24",
  ])("%j is no pool", (text) => {
    expect(() => parseDefaultPool(text)).toThrow("Invalid default address pool");
  });
});
