import { describe, expect, test } from "bun:test";
import type { ContainerConfig, HostConfig } from "../spec/mod.ts";
import { decideLandlock, type LandlockGround } from "./landlock.ts";
import { landlockPathRefusal, landlockPortRefusal } from "./landlock-refusals.ts";
import { parseGrants } from "./profiles/grants.ts";

const WRITE_FILE = 1 << 1;
const READ_FILE = 1 << 2;
const MAKE_FILE = 1 << 8;
const MAKE_BLOCK_DEVICE = 1 << 11;
const TRUNCATE = 1 << 14;
const DEVICE_CONTROL = 1 << 15;

const HOST = {
  NetworkMode: "bridge",
  PidMode: "",
  ReadonlyRootfs: true,
  Tmpfs: { "/tmp": "" },
  SecurityOpt: ["no-new-privileges"],
  PortBindings: { "8080/tcp": null },
} as unknown as HostConfig;

function decide(words = "", host: Partial<HostConfig> = {}, ground: Partial<LandlockGround> = {}) {
  return decideLandlock({
    profile: "hardened",
    grants: parseGrants(words),
    hostConfig: { ...HOST, ...host },
    config: { ExposedPorts: { "80/tcp": {}, "53/udp": {} } } as unknown as ContainerConfig,
    mounts: [
      { destination: "/data", writable: true },
      { destination: "/conf", writable: false },
    ],
    version: 7,
    otherModule: false,
    runtime: true,
    ...ground,
  });
}

const rightsOn = (path: string, decision = decide()): number =>
  decision.rules?.paths.filter((rule) => rule.path === path).reduce((rights, rule) => rights | rule.rights, 0) ?? 0;

test("writes only where something writable is mounted; reads everywhere", () => {
  expect(rightsOn("/") & (READ_FILE | WRITE_FILE | MAKE_FILE)).toBe(READ_FILE);
  for (const path of ["/tmp", "/data", "/dev/shm"])
    expect(rightsOn(path) & (WRITE_FILE | MAKE_FILE)).toBe(WRITE_FILE | MAKE_FILE);
  expect(rightsOn("/conf")).toBe(0);
  expect(rightsOn("/proc")).toBe(0);
  expect(rightsOn("/dev") & (WRITE_FILE | MAKE_FILE | DEVICE_CONTROL)).toBe(WRITE_FILE | DEVICE_CONTROL);
  expect(rightsOn("/", decide("write:/", { ReadonlyRootfs: false })) & MAKE_FILE).toBe(MAKE_FILE);
});

test("makes devices only with the capability", () => {
  expect(rightsOn("/tmp") & MAKE_BLOCK_DEVICE).toBe(0);
  expect(rightsOn("/tmp", decide("cap:mknod")) & MAKE_BLOCK_DEVICE).toBe(MAKE_BLOCK_DEVICE);
});

test("listens on what is published or declared, by TCP, and below 1024 with net-bind", () => {
  expect(decide().rules).toMatchObject({ network: 1, ports: [0, 80, 8080] });
  expect(decide("net-bind").rules?.ports).toHaveLength(1 + 1023 + 1);
  expect(decide("net-bind").explain).toContainEqual(expect.stringContaining("1-1023, 8080 "));
  expect(decide("", { NetworkMode: "container:x" }).rules).toMatchObject({ network: 0, ports: [] });
  const all = { config: { ExposedPorts: { "1-65535/tcp": {} } } as unknown as ContainerConfig };
  expect(decide("", {}, all).rules).toMatchObject({ network: 0, ports: [] });
});

test("what is shared with the host is scoped", () => {
  expect(decide().rules?.scopes).toBe(0);
  expect(decide("host-net host-pid", { NetworkMode: "host", PidMode: "host" }).rules?.scopes).toBe(3);
});

describe("an older kernel", () => {
  test.each([
    [6, DEVICE_CONTROL | TRUNCATE, 1, 3],
    [5, DEVICE_CONTROL | TRUNCATE, 1, 0],
    [4, TRUNCATE, 1, 0],
    [3, TRUNCATE, 0, 0],
    [2, 0, 0, 0],
  ])("of version %i has what it knows, and says what it lacks", (version, files, network, scopes) => {
    const { rules, explain } = decide("", { PidMode: "host" }, { version });
    const shared = decide("host-net", { NetworkMode: "host", PidMode: "host" }, { version });
    expect((rules?.files ?? 0) & (DEVICE_CONTROL | TRUNCATE)).toBe(files);
    expect(rules?.network).toBe(network);
    expect(shared.rules?.scopes).toBe(scopes);
    expect(explain.some((line) => line.includes("This kernel cannot"))).toBe(version < 5);
    for (const { rights } of rules?.paths ?? []) expect(rights & ~(rules?.files ?? 0)).toBe(0);
  });

  test.each([
    ["has none", "", { version: 0 }],
    ["has the first only", "", { version: 1 }],
    ["has another module", "", { otherModule: true }],
    ["runs it elsewhere", "", { runtime: false }],
    ["is not asked", "", { profile: "docker" }],
    ["is told otherwise", "privileged", {}],
  ] as const)("that %s gives no rules and says why", (_, words, ground) => {
    expect(decide(words, {}, ground)).toEqual({ explain: [expect.stringMatching(/^None: /)] });
  });

  test("that lets setuid programs work cannot hold rules", () => {
    expect(decide("new-privileges", { SecurityOpt: [] }).rules).toBeUndefined();
  });
});

test("any-path leaves the ports", () => {
  expect(decide("any-path").rules).toMatchObject({ files: 0, paths: [], network: 1 });
});

test("a refusal is told only where the rules are what denied it", () => {
  const { rules } = decide();
  if (rules === undefined) throw new Error("No rules");
  expect(landlockPathRefusal("/dev/x", rules)).toMatchObject({ rule: "Landlock: no file is put below /dev" });
  expect(landlockPathRefusal("/proc/self/comm", rules)?.grant).toBe("--grant any-path");
  expect(landlockPathRefusal("/dev/shm/x", rules)).toBeUndefined();
  expect(landlockPathRefusal("/etc/shadow", rules)).toBeUndefined();
  expect(landlockPortRefusal(9000, rules)?.grant).toBe("--expose 9000");
  expect(landlockPortRefusal(8080, rules)).toBeUndefined();
});
