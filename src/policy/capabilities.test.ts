import { expect, test } from "bun:test";
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES, decideCapabilities } from "./capabilities.ts";

const available = ALL_CAPABILITIES.filter((name) => name !== "CAP_SYS_RESOURCE");
const request = { add: [], drop: [], privileged: false, available };

test("the kernel's names in the kernel's order", () => {
  expect(ALL_CAPABILITIES).toHaveLength(41);
  expect(ALL_CAPABILITIES.indexOf("CAP_SYS_ADMIN")).toBe(21);
  expect(ALL_CAPABILITIES.indexOf("CAP_CHECKPOINT_RESTORE")).toBe(40);
});

test("the default set by default, and only what the host has", () => {
  expect(decideCapabilities(request).capabilities).toEqual(DEFAULT_CAPABILITIES);
  const poor = decideCapabilities({ ...request, available: ["CAP_KILL"] });
  expect(poor.capabilities).toEqual(["CAP_KILL"]);
  expect(poor.explain).toContain("CAP_CHOWN left out: not available on this host");
});

test("everything the host has when privileged, whatever else is asked", () => {
  expect(decideCapabilities({ ...request, privileged: true, drop: ["ALL"] }).capabilities).toEqual(available);
});

test("ALL in either list", () => {
  const allButOne = decideCapabilities({ ...request, add: ["all"], drop: ["KILL"] }).capabilities;
  expect(allButOne).toEqual(available.filter((name) => name !== "CAP_KILL"));
  expect(decideCapabilities({ ...request, drop: ["ALL"], add: ["kill", "CAP_KILL"] }).capabilities).toEqual([
    "CAP_KILL",
  ]);
});

test("a name both added and dropped is added, as in Docker", () => {
  expect(decideCapabilities({ ...request, add: ["KILL"], drop: ["KILL"] }).capabilities).toContain("CAP_KILL");
});

test("each step is explained", () => {
  expect(decideCapabilities({ ...request, add: ["NET_ADMIN"], drop: ["KILL"] }).explain).toEqual([
    "the default set",
    "CAP_KILL dropped as asked",
    "CAP_NET_ADMIN added as asked",
  ]);
});

test("names that are unknown or not to be had are refused in Docker's words", () => {
  expect(() => decideCapabilities({ ...request, add: ["foo"] })).toThrow('unknown capability: "CAP_FOO"');
  expect(() => decideCapabilities({ ...request, add: ["SYS_RESOURCE"] })).toThrow(
    'capability not supported by your kernel or not available in the current environment: "CAP_SYS_RESOURCE"',
  );
});
