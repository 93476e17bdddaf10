import { describe, expect, test } from "bun:test";
import type { ContainerConfig, HostConfig } from "../../spec/mod.ts";
import type { HostFacts } from "../host-facts.ts";
import { configOf, hostConfigOf } from "../spec/testing.ts";
import { hostOf } from "./testing.ts";
import { requireCommand, validateCreate } from "./validate.ts";

/** What a client sends: nothing filled in. */
const bare = { IpcMode: "", CgroupnsMode: "", NetworkMode: "", ShmSize: 0, MaskedPaths: null, ReadonlyPaths: null };

function validate(
  hostConfig: object,
  config: Partial<ContainerConfig> = {},
  host: HostFacts = hostOf(),
  endpoints = {},
) {
  const request = {
    config: configOf(config),
    hostConfig: hostConfigOf({ ...bare, OomKillDisable: null, ...(hostConfig as Partial<HostConfig>) }),
    endpoints,
  };
  return validateCreate(request, { host, runtimes: new Set(["crun", "runc"]), users: "host", defaultRuntime: "crun" });
}

// Texts as dockerd 26.1 answers them.
describe("refused, in Docker's words", () => {
  test.each<[object, string]>([
    [{ Isolation: "hyperv" }, "Invalid isolation: \"hyperv\" - linux only supports 'default'"],
    [{ IOMaximumBandwidth: 1 }, "Invalid QoS settings: linux does not support configuration of maximum bandwidth"],
    [
      { CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 },
      "cpu real-time runtime cannot be higher than cpu real-time period",
    ],
    [{ NetworkMode: "container:" }, "Invalid network mode: invalid container format container:<name|id>"],
    [{ NetworkMode: "container:x", Dns: ["1.1.1.1"] }, "conflicting options: dns and the network mode"],
    [
      { NetworkMode: "container:x", PublishAllPorts: true },
      "conflicting options: port publishing and the container type network mode",
    ],
    [
      { NetworkMode: "host", Links: ["a:b"] },
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    ],
    [{ Memory: 1000 }, "Minimum memory limit allowed is 6MB"],
    [
      { Memory: 10_000_000, MemorySwap: 9_000_000 },
      "Minimum memoryswap limit should be larger than memory limit, see usage",
    ],
    [{ MemorySwap: 9_000_000 }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
    [{ MemorySwappiness: 101 }, "Invalid value: 101, valid memory swappiness range is 0-100"],
    [{ MemorySwappiness: -2 }, "Invalid value: -2, valid memory swappiness range is 0-100"],
    [{ MemoryReservation: 100 }, "Minimum memory reservation allowed is 6MB"],
    [
      { Memory: 10_000_000, MemoryReservation: 20_000_000 },
      "Minimum memory limit can not be less than memory reservation limit, see usage",
    ],
    [{ NanoCpus: 1e9, CpuPeriod: 1000 }, "Conflicting options: Nano CPUs and CPU Period cannot both be set"],
    [{ NanoCpus: 9e9 }, "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"],
    [{ CpuPeriod: 10 }, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
    [{ CpuQuota: 10 }, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
    [{ CpusetCpus: "7" }, "Requested CPUs are not available - requested 7, available: 0-1"],
    [{ CpusetCpus: "x" }, "Invalid value x for cpuset cpus: invalid format: x"],
    [{ CpusetCpus: "1-0" }, "Invalid value 1-0 for cpuset cpus: invalid format: 1-0"],
    [{ CpusetCpus: "99999" }, "Invalid value 99999 for cpuset cpus: value of out range, maximum is 8192"],
    [{ CpusetMems: "7" }, "Requested memory nodes are not available - requested 7, available: 0"],
    [{ BlkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
    [{ IpcMode: "foo" }, "invalid IPC mode: foo"],
    [{ PidMode: "container:" }, "invalid PID mode: container:"],
    [{ UTSMode: "foo" }, "invalid UTS mode: foo"],
    [{ CgroupnsMode: "foo" }, "invalid cgroup namespace mode: foo"],
    [{ ShmSize: -1 }, "SHM size can not be less than 0"],
    [{ OomScoreAdj: 2000 }, "Invalid value 2000, range for oom score adj is [-1000, 1000]"],
    [{ Runtime: "foo" }, "unknown or invalid runtime name: foo"],
    [{ Tmpfs: { "/": "" } }, "invalid specification: destination can't be '/'"],
    [{ Tmpfs: { x: "" } }, "invalid mount path: 'x' mount path must be absolute"],
    [
      { AutoRemove: true, RestartPolicy: { Name: "always", MaximumRetryCount: 0 } },
      "can't create 'AutoRemove' container with restart policy",
    ],
    [
      { RestartPolicy: { Name: "always", MaximumRetryCount: 1 } },
      "invalid restart policy: maximum retry count can only be used with 'on-failure'",
    ],
    [
      { RestartPolicy: { Name: "no", MaximumRetryCount: -1 } },
      "invalid restart policy: maximum retry count can only be used with 'on-failure' and cannot be negative",
    ],
    [
      { RestartPolicy: { Name: "on-failure", MaximumRetryCount: -1 } },
      "invalid restart policy: maximum retry count cannot be negative",
    ],
    [
      { RestartPolicy: { Name: "foo", MaximumRetryCount: 0 } },
      "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [{ ExtraHosts: ["foo"] }, 'bad format for add-host: "foo"'],
    [{ ExtraHosts: ["foo:bar"] }, 'invalid IP address in add-host: "bar"'],
    [{ PortBindings: { "x/tcp": [] } }, 'invalid port specification: "x"'],
    [{ PortBindings: { "99999/tcp": [] } }, 'invalid port specification: "99999"'],
    [{ PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "x" }] } }, 'invalid port specification: "x"'],
    [{ CapAdd: ["foo"] }, 'invalid CapAdd: unknown capability: "CAP_FOO"'],
    [{ CapDrop: ["foo"] }, 'invalid CapDrop: unknown capability: "CAP_FOO"'],
    [
      { CapAdd: ["sys_boot"] },
      'invalid CapAdd: capability not supported by your kernel or not available in the current environment: "CAP_SYS_BOOT"',
    ],
    [{ Annotations: { "": "x" } }, "invalid Annotations: the empty string is not permitted as an annotation key"],
    [{ SecurityOpt: ["foo"] }, 'invalid --security-opt 1: "foo"'],
    [{ SecurityOpt: ["foo=bar"] }, 'invalid --security-opt 2: "foo=bar"'],
    [{ LogConfig: { Type: "foo", Config: {} } }, 'error looking up logging plugin foo: plugin "foo" not found'],
    [{ LogConfig: { Type: "", Config: { foo: "1" } } }, "unknown log opt 'foo' for json-file log driver"],
    [{ LogConfig: { Type: "local", Config: { foo: "1" } } }, "unknown log opt 'foo' for log driver local"],
    [{ LogConfig: { Type: "", Config: { mode: "x" } } }, "logger: logging mode not supported: x"],
    [
      { LogConfig: { Type: "", Config: { "max-buffer-size": "1m" } } },
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    ],
    ...(
      [
        ["json-file", "max-size", "10x", "invalid size: '10x'"],
        ["local", "max-size", "10x", "invalid value for max-size: 10x: invalid size: '10x'"],
        ["json-file", "max-size", "0", "max-size must be a positive number"],
        ["json-file", "max-file", "0", "max-file cannot be less than 1"],
        ["json-file", "max-file", "x", 'strconv.Atoi: parsing "x": invalid syntax'],
      ] as const
    ).map(([Type, name, value, why]): [object, string] => [
      { LogConfig: { Type, Config: { [name]: value } } },
      `failed to create task for container: failed to initialize logging driver: ${why}`,
    ]),
    [
      { Mounts: [{ Type: "bind", Source: "/tmp", Target: "" }] },
      'invalid mount config for type "bind": field Target must not be empty',
    ],
    [
      { Mounts: [{ Type: "bind", Target: "/x" }] },
      'invalid mount config for type "bind": field Source must not be empty',
    ],
    [
      { Mounts: [{ Type: "bind", Source: "/nope", Target: "/x" }] },
      'invalid mount config for type "bind": bind source path does not exist: /nope',
    ],
    [
      { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x/.." }] },
      "invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
    ],
    [
      { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { Propagation: "foo" } }] },
      'invalid mount config for type "bind": invalid propagation mode: foo',
    ],
    [
      { Mounts: [{ Type: "foo", Source: "/tmp", Target: "/x" }] },
      'invalid mount config for type "foo": mount type unknown',
    ],
    [
      { Mounts: [{ Type: "tmpfs", Source: "/tmp", Target: "/x" }] },
      'invalid mount config for type "tmpfs": field Source must not be specified',
    ],
    [
      { Mounts: [{ Type: "tmpfs", Target: "/x", BindOptions: {} }] },
      'BindOptions must not be specified on mount type "tmpfs"',
    ],
    [
      { Mounts: [{ Type: "volume", Target: "/x", ReadOnly: true }] },
      'invalid mount config for type "volume": must not set ReadOnly mode when using anonymous volumes',
    ],
  ])("%j", (hostConfig, message) => {
    expect(() => validate(hostConfig)).toThrow(message);
  });

  test.each<[Partial<ContainerConfig>, string]>([
    [{ WorkingDir: "x" }, "the working directory 'x' is invalid, it needs to be an absolute path"],
    [{ StopSignal: "x" }, "invalid signal: x"],
    [{ Env: ["=x"] }, "invalid environment variable: =x"],
    [{ Env: [""] }, "invalid environment variable: "],
    [{ Healthcheck: { Interval: 10 } }, "Interval in Healthcheck cannot be less than 1ms"],
    [{ Healthcheck: { Timeout: 10 } }, "Timeout in Healthcheck cannot be less than 1ms"],
    [{ Healthcheck: { Retries: -1 } }, "Retries in Healthcheck cannot be negative"],
    [{ Healthcheck: { StartPeriod: 10 } }, "StartPeriod in Healthcheck cannot be less than 1ms"],
    [{ Healthcheck: { StartInterval: 10 } }, "StartInterval in Healthcheck cannot be less than 1ms"],
  ])("%j", (config, message) => {
    expect(() => validate({}, config)).toThrow(message);
  });

  test("hostname beside another's namespace", () => {
    const config = { Hostname: "a" };
    expect(() => validate({ UTSMode: "host" }, config)).toThrow("conflicting options: hostname and the UTS mode");
    expect(() => validate({ NetworkMode: "container:x" }, config)).toThrow(
      "conflicting options: hostname and the network mode",
    );
  });

  test.each([
    [{ bridge: { Aliases: ["x"] } }, "network-scoped alias is supported only for containers in user defined networks"],
    [
      { bridge: { IPAMConfig: { IPv4Address: "x" } } },
      "invalid config for network bridge: invalid endpoint settings:\n* user specified IP address is supported on user defined networks only\n* invalid IPv4 address: x\n* user specified IP address is supported only when connecting to networks with user configured subnets",
    ],
    [{ bridge: { MacAddress: "x" } }, "invalid config for network bridge: invalid MAC address x"],
  ])("endpoints %j", (endpoints, message) => {
    expect(() => validate({}, {}, hostOf(), endpoints)).toThrow(message);
  });

  test("nothing to run", () => {
    expect(() => requireCommand(configOf())).toThrow("no command specified");
    expect(() => requireCommand(configOf({ Entrypoint: [], Cmd: [] }))).toThrow("no command specified");
    requireCommand(configOf({ Cmd: ["true"] }));
  });
});

describe("defaults, as dockerd shows them", () => {
  test("of a plain container on cgroup version 2", () => {
    expect(validate({}).request.hostConfig).toMatchObject({
      ShmSize: 67108864,
      IpcMode: "private",
      CgroupnsMode: "private",
      NetworkMode: "bridge",
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      LogConfig: { Type: "json-file", Config: {} },
      Runtime: "crun",
      OomKillDisable: false,
      SecurityOpt: null,
      MaskedPaths: expect.arrayContaining(["/proc/kcore"]),
      ReadonlyPaths: expect.arrayContaining(["/proc/sys"]),
    });
  });

  test("of a privileged one on version 1: nothing hidden, the host's cgroups, no labels", () => {
    expect(validate({ Privileged: true }, {}, hostOf({ cgroupVersion: 1 })).request.hostConfig).toMatchObject({
      CgroupnsMode: "host",
      MaskedPaths: null,
      ReadonlyPaths: null,
      SecurityOpt: ["label=disable"],
    });
  });

  test("swap is twice the memory, no limit on processes is not stored, paths are cleaned", () => {
    const { request } = validate({ Memory: 64 << 20, PidsLimit: -1 }, { WorkingDir: "/a/../b/" });
    expect(request.hostConfig).toMatchObject({ MemorySwap: 128 << 20, PidsLimit: null });
    expect(request.config.WorkingDir).toBe("/b");
  });
});

describe("taken out with a warning, where the kernel cannot", () => {
  const without = (name: keyof HostFacts["supports"]) => hostOf({ supports: { ...hostOf().supports, [name]: false } });

  test("memory", () => {
    const { request, warnings } = validate({ Memory: 64 << 20 }, {}, without("memory"));
    expect(warnings).toEqual([
      "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
    ]);
    expect(request.hostConfig).toMatchObject({ Memory: 0, MemorySwap: -1 });
  });

  test("block I/O weight and swappiness", () => {
    const { request, warnings } = validate({ BlkioWeight: 300 }, {}, without("blkioWeight"));
    expect(warnings).toEqual([
      "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
    ]);
    expect(request.hostConfig.BlkioWeight).toBe(0);
    expect(
      validate({ MemorySwappiness: 10 }, {}, without("swappiness")).request.hostConfig.MemorySwappiness,
    ).toBeNull();
  });

  test("an out-of-memory killer that is off with no limit is worth a warning", () => {
    expect(validate({ OomKillDisable: true }).warnings).toEqual([
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    ]);
  });
});
