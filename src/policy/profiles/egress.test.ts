import { describe, expect, test } from "bun:test";
import { egressOf, egressOverlaps, formatEgress, matchesName, parseEgress } from "./egress.ts";

describe("words", () => {
  test.each([
    ["none", "none"],
    ["ANY", "any"],
    ["Example.org.", { host: "example.org" }],
    ["*.example.org:443", { host: "*.example.org", port: 443, protocol: "tcp" }],
    ["dns.test:53/udp", { host: "dns.test", port: 53, protocol: "udp" }],
    ["203.0.113.7", { host: "203.0.113.7" }],
    ["10.0.0.0/8:5432", { host: "10.0.0.0/8", port: 5432, protocol: "tcp" }],
    ["10.0.0.1/32", { host: "10.0.0.1" }],
    ["2001:DB8:0::1", { host: "2001:db8::1" }],
    ["2001:db8::/32", { host: "2001:db8::/32" }],
    ["[2001:db8::1]:443", { host: "2001:db8::1", port: 443, protocol: "tcp" }],
  ])("%s", (text, wanted) => {
    const parsed = parseEgress(text);
    expect(parsed).toEqual(wanted as typeof parsed);
    if (typeof parsed !== "string") expect(parseEgress(formatEgress(parsed))).toEqual(parsed);
  });

  test.each([
    "",
    "*",
    "*.",
    "a b",
    "x:0",
    "x:70000",
    "x:80/icmp",
    "10.0.0.0/33",
    "1.2.3",
    "fe80::1%eth0",
    "a..b",
    "-a",
  ])("%s is refused", (text) => expect(() => parseEgress(text)).toThrow("Invalid grant"));
});

test("what a container may reach", () => {
  expect(egressOf("hardened", [])).toEqual({ any: false, rules: [] });
  expect(egressOf("hardened", ["any"])).toBeUndefined();
  expect(egressOf("docker", [])).toBeUndefined();
  expect(egressOf("docker", ["none"])).toEqual({ any: false, rules: [] });
  expect(egressOf("open", ["a.test"])).toEqual({ any: false, rules: [{ host: "a.test" }] });
  expect(egressOf("hardened", ["any", "169.254.169.254"])).toEqual({ any: true, rules: [{ host: "169.254.169.254" }] });
});

test("a name below a wildcard is meant by it, the name itself and its like are not", () => {
  expect(["a.b.org", "x.a.b.org", "b.org", "ab.org"].map((name) => matchesName("*.b.org", name))).toEqual([
    ...[true, true, false, false],
  ]);
});

test.each([
  ["any", "any", true],
  ["any", "a.test", false],
  ["10.0.0.0/8", "any", true],
  ["10.0.0.0/8", "none", false],
  ["10.0.0.0/8", "10.1.2.3:80", true],
  ["10.1.2.3", "10.0.0.0/8", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["10.0.0.0/8:22", "10.0.0.1:80", false],
  ["fd00::/8", "10.0.0.1", false],
  ["*.a.test", "x.a.test", true],
  ["x.a.test", "*.a.test", true],
  ["*.a.test", "a.test", false],
])("forbidden %s and asked for %s: %s", (forbidden, asked, met) => {
  expect(egressOverlaps(forbidden, asked)).toBe(met);
});
