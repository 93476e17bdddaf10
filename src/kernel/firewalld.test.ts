import { expect, test } from "bun:test";
import { interfacesInZones } from "./firewalld.ts";

test("the interfaces of all zones are read", () => {
  const text = "public (default)\n  interfaces: eth0 wlan0\ntrusted\n  interfaces: havre0\n  sources: 10.0.0.0/8\n";
  expect([...interfacesInZones(text)]).toEqual(["eth0", "wlan0", "havre0"]);
  expect([...interfacesInZones("")]).toEqual([]);
});
