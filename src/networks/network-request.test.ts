import { describe, expect, test } from "bun:test";
import { isHavreError } from "../base/mod.ts";
import type { IpamPool } from "./model.ts";
import { checkRequest, completePool } from "./network-request.ts";
import type { NetworkRequest } from "./networks.ts";

const withPool = (pool: IpamPool): NetworkRequest => ({
  name: "n1",
  ipam: { driver: "default", options: undefined, pools: [pool] },
});

function refusal(request: NetworkRequest, driver?: string): string {
  try {
    checkRequest(request, driver);
  } catch (error) {
    if (isHavreError(error)) return `${error.kind}: ${error.message}`;
  }
  return "accepted";
}

describe("a network is refused in Docker's words:", () => {
  const config = "invalid-argument: invalid network config:\n";
  test.each<[IpamPool, string]>([
    [{ subnet: "10.1.0.1/16" }, "invalid subnet 10.1.0.1/16: it should be 10.1.0.0/16"],
    [{ subnet: "10.1.0.0" }, "invalid subnet 10.1.0.0: invalid CIDR block notation"],
    [{ subnet: "10.1.0.0/33" }, "invalid subnet 10.1.0.0/33: invalid CIDR block notation"],
    [{ subnet: "", gateway: "10.1.0.1" }, "invalid subnet : invalid CIDR block notation"],
    [
      { subnet: "10.1.0.0/24", ipRange: "10.0.0.0/8" },
      "invalid ip-range 10.0.0.0/8: CIDR block is bigger than its parent subnet 10.1.0.0/24",
    ],
    [
      { subnet: "10.1.0.0/24", ipRange: "10.2.0.0/25" },
      "invalid ip-range 10.2.0.0/25: parent subnet 10.1.0.0/24 doesn't contain ip-range",
    ],
    [{ subnet: "10.1.0.0/24", ipRange: "10.1.0.7/25" }, "invalid ip-range 10.1.0.7/25: it should be 10.1.0.0/25"],
    [
      { subnet: "10.1.0.0/24", gateway: "10.2.0.1" },
      "invalid gateway 10.2.0.1: parent subnet 10.1.0.0/24 doesn't contain this address",
    ],
    [{ subnet: "10.1.0.0/24", gateway: "fd00::1" }, "invalid gateway fd00::1: parent subnet is an IPv4 block"],
    [{ subnet: "10.1.0.0/24", auxiliary: { router: "x" } }, "invalid auxiliary address router: invalid address"],
  ])("%j", (pool, text) => {
    expect(refusal(withPool(pool))).toBe(config + text);
  });

  test.each<[NetworkRequest, string | undefined, string]>([
    [{ name: "host" }, undefined, "permission-denied: operation is not permitted on predefined host network "],
    [{ name: " " }, undefined, "invalid-argument: invalid name:  "],
    [{ name: "n1" }, "nosuch", 'not-found: plugin "nosuch" not found'],
    [{ name: "n1" }, "null", 'permission-denied: only one instance of "null" network is allowed'],
    [{ name: "n1" }, "ipvlan", "invalid-argument: ipvlan networks are not supported: use macvlan, or bridge"],
    [{ name: "n1", ingress: true }, undefined, "permission-denied: Ingress network can only be global scope network"],
  ])("%j with driver %s", (request, driver, text) => {
    expect(refusal(request, driver)).toBe(text);
  });
});

describe("a pool's gateway", () => {
  test.each<[IpamPool, string]>([
    [{ subnet: "10.1.0.0/24" }, "10.1.0.1"],
    [{ subnet: "10.1.0.0/24", gateway: "10.1.0.254" }, "10.1.0.254"],
    [{ subnet: "10.1.0.0/16", ipRange: "10.1.5.0/24" }, "10.1.5.0"],
    [{ subnet: "10.1.0.0/24", auxiliary: { router: "10.1.0.1" } }, "10.1.0.2"],
    [{ subnet: "fd00:1::/64" }, "fd00:1::1"],
  ])("of %j is %s", (pool, gateway) => {
    expect(completePool(pool).gateway).toBe(gateway);
  });
});
