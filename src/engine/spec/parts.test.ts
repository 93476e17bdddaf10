import { describe, expect, test } from "bun:test";
import { encodeForRuntime } from "../../spec/mod.ts";
import { hostOf } from "../create/testing.ts";
import { parseDeviceRule } from "./devices.ts";
import { buildEnvironment } from "./environment.ts";
import { buildMounts } from "./mounts.ts";
import { buildNamespaces } from "./namespaces.ts";
import { buildRlimits } from "./process.ts";
import { buildSysctls } from "./sysctls.ts";
import { hostConfigOf, specOf } from "./testing.ts";
import { mergeTmpfsOptions, tmpfsData } from "./tmpfs.ts";
import { parseGroup, parsePasswd } from "./user.ts";

const input = {
  id: "c1",
  spec: specOf({}),
  rootfs: "/r",
  sandbox: { namespacePath: undefined, endpoints: [] },
  files: {},
  shared: {},
  cgroupParent: "/havre",
  host: hostOf(),
};

describe("environment", () => {
  test("defaults, then the given in order, later over earlier", () => {
    expect(buildEnvironment({ hostname: "h", terminal: true, home: "/root", given: ["B=1", "A=2", "B=3=4"] })).toEqual([
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOSTNAME=h",
      "TERM=xterm",
      "B=3=4",
      "A=2",
      "HOME=/root",
    ]);
  });

  test("a bare name takes a default away", () => {
    const given = ["PATH", "HOSTNAME=", "HOME=/h"];
    expect(buildEnvironment({ hostname: "h", terminal: false, home: "/root", given })).toEqual([
      "HOSTNAME=",
      "HOME=/h",
    ]);
  });
});

describe("user files", () => {
  test("lines that are not entries are left out, whatever they hold", () => {
    const text = "root:x:0:0::/root:/bin/sh\n\n# note\nbad\nodd:x:a:0\n  spaced:x:5:6::/h:  \n+nis::::::\n";
    expect(parsePasswd(text).map(({ name, uid, home }) => [name, uid, home])).toEqual([
      ["root", 0, "/root"],
      ["spaced", 5, "/h"],
    ]);
    expect(parseGroup("a:x:1:\nb:x:2:u,v\nc:x\n")).toEqual([
      { name: "a", gid: 1, members: [] },
      { name: "b", gid: 2, members: ["u", "v"] },
    ]);
    expect(parsePasswd(undefined)).toEqual([]);
  });
});

describe("namespaces", () => {
  const typesOf = (hostConfig: object, sandbox: { readonly namespacePath: string | undefined } = input.sandbox) =>
    buildNamespaces({ ...input, spec: specOf({}, hostConfig), sandbox: { ...sandbox, endpoints: [] } });

  test("without a prepared network there is an empty one, never the host's by accident", () => {
    expect(typesOf({ NetworkMode: "none" })).toContainEqual({ type: "network" });
    expect(typesOf({ NetworkMode: "bridge" }, { namespacePath: "/n" })).toContainEqual({ type: "network", path: "/n" });
    expect(typesOf({ NetworkMode: "host" }).map(({ type }) => type)).not.toContain("network");
  });

  test("the host's are those left out", () => {
    expect(typesOf({ PidMode: "host", IpcMode: "host", UTSMode: "host", NetworkMode: "host" })).toEqual([
      { type: "mount" },
    ]);
  });
});

describe("tmpfs", () => {
  test.each([
    ["", "noexec,nosuid,nodev,rprivate"],
    ["exec,size=1m", "nosuid,nodev,rprivate,exec,size=1m"],
    ["size=1m,size=2m,ro,rw", "noexec,nosuid,nodev,rprivate,size=2m,rw"],
  ])("%p is mounted with %s", (data, wanted) => {
    expect(mergeTmpfsOptions(data).join(",")).toBe(wanted);
  });

  test.each(["foo", "foo=1", "size=1,bar"])("%p is refused", (data) => {
    expect(() => mergeTmpfsOptions(data)).toThrow("invalid tmpfs option");
  });

  test("sizes take the largest unit that divides them", () => {
    const data = (SizeBytes: number) => tmpfsData({ Type: "tmpfs", Target: "/x", TmpfsOptions: { SizeBytes } });
    expect([data(1 << 30), data(3 << 20), data(1536), data(1000)]).toEqual([
      "size=1g",
      "size=3m",
      "size=1536",
      "size=1000",
    ]);
  });
});

describe("devices", () => {
  test("a rule's parts", () => {
    expect(parseDeviceRule("c 10:* rm")).toEqual({ allow: true, type: "c", major: 10, minor: -1, access: "rm" });
    for (const bad of ["foo", "x 1:2 r", "c 1:2", "c 1:2 rwmx", "c 1:2 r "])
      expect(() => parseDeviceRule(bad)).toThrow(`invalid device cgroup rule format: '${bad}'`);
  });
});

describe("kernel settings", () => {
  test("those of its own network only with a network of its own; the user's on top", () => {
    const ping = "net.ipv4.ping_group_range";
    expect(buildSysctls(hostConfigOf({ NetworkMode: "bridge" }), "lan")).toMatchObject({
      [ping]: "0 2147483647",
      "kernel.domainname": "lan",
    });
    expect(buildSysctls(hostConfigOf({ NetworkMode: "host", UTSMode: "host" }), "lan")).toEqual({});
    expect(buildSysctls(hostConfigOf({ Sysctls: { [ping]: "1 0" } }), "")).toMatchObject({ [ping]: "1 0" });
  });
});

describe("resource limits", () => {
  test("unlimited is written as the largest number there is", () => {
    const rlimits = buildRlimits([{ Name: "core", Soft: 0, Hard: -1 }]);
    expect(rlimits).toEqual([{ type: "RLIMIT_CORE", soft: 0, hard: -1 }]);
    const process = { user: { uid: 0, gid: 0 }, args: [], env: [], cwd: "/", rlimits };
    expect(encodeForRuntime(process)).toContain('"soft":0,"hard":18446744073709551615');
  });
});

describe("mounts", () => {
  const destinations = (hostConfig: object, change = {}) =>
    buildMounts({ ...input, ...change, spec: specOf({}, hostConfig) }).mounts.map(({ destination }) => destination);

  test("a mount of the user's takes the place of the engine's, and all below /dev with it", () => {
    const files = { hosts: "/f/hosts", resolvConf: "/f/resolv" };
    expect(destinations({ Tmpfs: { "/dev": "", "/etc/hosts": "" } }, { files })).toEqual([
      "/proc",
      "/sys",
      "/sys/fs/cgroup",
      "/dev",
      "/etc/hosts",
      "/etc/resolv.conf",
    ]);
  });

  test("an init program is bound only for a process tree of its own", () => {
    const change = { initPath: "/usr/bin/tini" };
    expect(destinations({ Init: true }, change)).toContain("/sbin/docker-init");
    expect(destinations({ Init: true, PidMode: "host" }, change)).not.toContain("/sbin/docker-init");
    expect(destinations({}, change)).not.toContain("/sbin/docker-init");
  });
});
