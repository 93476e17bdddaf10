import { describe, expect, test } from "bun:test";
import type { HostConfig, SeccompProfile } from "../../spec/mod.ts";
import { decidesCall, usualCapability } from "./capability-calls.ts";
import { askingFilter, narrowed, refusedBy } from "./filter.ts";
import { driftOf, needsOf } from "./needs.ts";
import type { Attempt, Observed } from "./observed.ts";
import { refusedIn } from "./refused.ts";

const attempt = (given: Partial<Attempt>): Attempt => ({
  process: "app",
  kind: "write",
  call: "openat",
  count: 1,
  failed: {},
  capabilities: {},
  ...given,
});
const seen = (...attempts: Partial<Attempt>[]): Observed => ({
  version: 1,
  from: 0,
  to: 1,
  complete: true,
  results: true,
  capabilities: true,
  calls: {},
  attempts: attempts.map(attempt),
  left: 0,
});
const words = (observed: Observed) =>
  needsOf(observed, { writable: ["/srv/own"], networks: ["10.1.0.0/16"] }).map(({ grant }) => grant);

describe("needs", () => {
  test("are the folders written, a lower one in its upper; scratch, mounts and what failed need none", () => {
    const targets = ["/var/a/b/c", "/var/a/d", "/tmp/x", "/srv/own/y", "/proc/self/comm"];
    expect(words(seen(...targets.map((target) => ({ target }))))).toEqual(["write:/var/a"]);
    expect(words(seen({ target: "/etc/x", failed: { EROFS: 1 } }))).toEqual([]);
    expect(words(seen({ target: "/etc/x", count: 2, failed: { ENOENT: 1 } }))).toEqual(["write:/etc"]);
  });

  test("open the whole root for a file at its top only, not for a folder", () => {
    expect(words(seen({ call: "mkdir", target: "/data" }))).toEqual(["write:/data"]);
    expect(words(seen({ target: "/file" }))).toEqual(["write:/"]);
  });

  test("are capabilities that decided the call, and low ports; not what the kernel asks on its way, nor the runtime's", () => {
    const owner = { kind: "owner", call: "chown", target: "/tmp/x 5:0", capabilities: { CAP_CHOWN: true } } as const;
    expect(words(seen(owner, { ...owner, process: "runc" }))).toEqual(["cap:chown"]);
    expect(words(seen({ ...owner, process: "runc:[2:INIT]" }))).toEqual([]);
    expect(words(seen({ kind: "call", call: "clone", capabilities: { CAP_SYS_ADMIN: true } }))).toEqual([]);
    const bound = ["tcp 0.0.0.0:80", "tcp [::]:8080"].map(
      (target) => ({ kind: "bind", call: "bind", target }) as const,
    );
    expect(words(seen(...bound))).toEqual(["net-bind"]);
  });

  test("compare with what was granted", () => {
    const needs = needsOf(seen({ target: "/data/a/b" }, { target: "/etc/x" }), { writable: [], networks: [] });
    const drift = driftOf(needs, [
      { name: "write", value: "/data" },
      { name: "cap", value: "CAP_KILL" },
      { name: "host-net", value: "" },
    ]);
    expect(drift.granted.map(({ grant, evidence }) => [grant, evidence.length])).toEqual([
      ["write:/data", 1],
      ["cap:kill", 0],
    ]);
    expect(drift.beyond.map(({ grant }) => grant)).toEqual(["write:/etc"]);
  });
});

describe("filters", () => {
  const profile: SeccompProfile = {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [
      { names: ["read", "mkdir", "bind"], action: "SCMP_ACT_ALLOW" },
      {
        names: ["clone"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value: 8, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
      },
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
    ],
  };

  test("refuse in the profile's place what it refuses, with its errno", () => {
    expect(refusedBy(profile, "mkdir", [])).toBeUndefined();
    expect(refusedBy(profile, "mount", [])).toBe(1);
    expect(refusedBy(profile, "clone3", [])).toBe(38);
    expect([refusedBy(profile, "clone", [16n]), refusedBy(profile, "clone", [24n])]).toEqual([undefined, 1]);
    expect(refusedBy(undefined, "mount", [])).toBeUndefined();
  });

  test("ask about all but what touches a program's own; narrowed, lose what was not called and gain nothing", () => {
    const asking = askingFilter(profile, ["mkdir", "read", "mount"], "/s");
    const asked = asking.syscalls?.filter(({ action }) => action === "SCMP_ACT_NOTIFY").flatMap(({ names }) => names);
    expect(asked).toEqual(["mkdir", "bind", "clone", "clone3", "mount", "sendto"]);
    const names = narrowed(profile, ["bind", "mount"]).syscalls?.flatMap((rule) => rule.names);
    expect(names).toEqual(["read", "bind", "clone", "clone3"]);
  });
});

test("a capability decides its own calls; what a call usually needs is told where it is one", () => {
  expect([decidesCall("CAP_CHOWN", "fchownat"), decidesCall("CAP_SYS_ADMIN", "clone")]).toEqual([true, false]);
  expect([usualCapability("mount"), usualCapability("openat")]).toEqual(["CAP_SYS_ADMIN", undefined]);
});

test("refusals name process, target, rule and grant, each once", () => {
  const ground = {
    profile: "hardened",
    hostConfig: { ReadonlyRootfs: true, CapDrop: ["ALL"], NetworkMode: "bridge" } as unknown as HostConfig,
    mounts: [],
    ownUsers: true,
    exitCode: 1,
    oomKilled: false,
  } as const;
  const observed = seen(
    { target: "/var/x/y", failed: { EROFS: 2 }, count: 2 },
    { target: "/var/x/y", call: "utimensat", failed: { EROFS: 1 } },
    { kind: "bind", call: "bind", target: "tcp 0.0.0.0:80", failed: { EACCES: 1 } },
    { kind: "owner", call: "chown", target: "/tmp/x 70000:", failed: { EINVAL: 1 } },
    { kind: "call", call: "mount", filtered: true },
    { target: "/var/gone", failed: { ENOENT: 1 } },
  );
  expect(refusedIn(observed, ground).map(({ process, target, grant }) => [process, target, grant])).toEqual([
    ["app", "/var/x/y", "--grant write:/var/x"],
    ["app", "port 80", "--grant net-bind"],
    ["app", "/tmp/x 70000:", "--grant host-users"],
    ["app", undefined, "--grant cap:sys_admin"],
  ]);
});
