import { describe, expect, test } from "bun:test";
import { advice } from "./advise.ts";
import { consolidateIpam, type IpamFlags } from "./ipam.ts";

const flags = (given: Partial<IpamFlags>): IpamFlags => ({
  subnet: [],
  "ip-range": [],
  gateway: [],
  "aux-address": {},
  ...given,
});

describe("addresses on the command line", () => {
  test("go to the subnet that has them", () => {
    const given = flags({
      subnet: ["10.1.0.0/16", "fd00:1::/64"],
      gateway: ["fd00:1::1"],
      "ip-range": ["10.1.5.0/24"],
      "aux-address": { router: "10.1.0.3" },
    });
    expect(consolidateIpam(given)).toEqual([
      { Subnet: "10.1.0.0/16", IPRange: "10.1.5.0/24", AuxiliaryAddresses: { router: "10.1.0.3" } },
      { Subnet: "fd00:1::/64", Gateway: "fd00:1::1" },
    ]);
  });

  test.each<[Partial<IpamFlags>, string]>([
    [{ gateway: ["10.1.0.1"] }, "every ip-range or gateway must have a corresponding subnet"],
    [{ subnet: ["10.1.0.0/16"], gateway: ["10.2.0.1"] }, "no matching subnet for gateway 10.2.0.1"],
    [{ subnet: ["10.1.0.0/16"], "ip-range": ["10.2.0.0/24"] }, "no matching subnet for range 10.2.0.0/24"],
    [{ subnet: ["10.1.0.0/16"], "aux-address": { a: "10.2.0.1" } }, "no matching subnet for aux-address 10.2.0.1"],
    [{ subnet: ["10.1.0.0/16", "10.1.2.0/24"] }, "multiple overlapping subnet configuration is not supported"],
    [
      { subnet: ["10.1.0.0/16", "10.2.0.0/16"], gateway: ["10.1.0.1", "10.1.0.2"] },
      "cannot configure multiple gateways (10.1.0.2, 10.1.0.1) for the same subnet (10.1.0.0/16)",
    ],
  ])("%j are refused in Docker's words", (given, text) => {
    expect(() => consolidateIpam(flags(given))).toThrow(text);
  });
});

describe("advice", () => {
  const figure = (throughput: number) => ({ latency: 20, throughput });
  const all = (mode: "host" | "bridge" | "macvlan", throughput: number) => ({
    mode,
    between: figure(throughput),
    outside: figure(throughput),
  });

  test("is for a bridge where it costs little, and for the host where it costs much", () => {
    expect(advice([all("host", 100), all("bridge", 90)]).join(" ")).toContain("host gains little here");
    expect(advice([all("host", 100), all("bridge", 40)]).join(" ")).toContain("host is worth its lack of isolation");
  });

  test("names what could not be measured", () => {
    const lines = advice([all("host", 100), { mode: "macvlan", problem: "This kernel has no macvlan" }]);
    expect(lines).toContain("macvlan was not measured: This kernel has no macvlan");
  });
});
