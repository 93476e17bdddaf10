import { describe, expect, test } from "bun:test";
import type { ContainerStatus, StatsSample } from "../../../engine/mod.ts";
import type { CgroupStats } from "../../../runtime/mod.ts";
import { ApiVersion } from "../api-version.ts";
import { container, EPOCH, IMAGE_ID, image } from "../fixtures/objects.ts";
import { commandText } from "./command.ts";
import { containerInspectView } from "./container-inspect.ts";
import { statusText } from "./container-status.ts";
import { containerSummaryView } from "./container-summary.ts";
import { humanDuration } from "./duration.ts";
import { eventView } from "./event.ts";
import { imageHistoryView, imageInspectView, imageSummaryView } from "./image.ts";
import { statsView } from "./stats.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const networkIds = new Map([["bridge", "d".repeat(64)]]);
const endpoint = {
  networkId: "d".repeat(64),
  networkName: "bridge",
  endpointId: "e".repeat(64),
  ipAddress: "172.17.0.2",
  prefixLength: 16,
  gateway: "172.17.0.1",
  macAddress: "02:42:ac:11:00:02",
  hostInterface: "veth1",
  ipv6Address: "",
  ipv6PrefixLength: 0,
  ipv6Gateway: "",
  interfaceName: "eth0",
  aliases: [],
  dnsNames: [],
  links: [],
  driverOptions: {},
  gatewayPriority: 0,
};

test("durations are said as Docker says them", () => {
  const table: readonly (readonly [number, string])[] = [
    [0, "Less than a second"],
    [999, "Less than a second"],
    [SECOND, "1 second"],
    [59 * SECOND, "59 seconds"],
    [MINUTE, "About a minute"],
    [2 * MINUTE, "2 minutes"],
    [46 * MINUTE, "46 minutes"],
    [59 * MINUTE, "59 minutes"],
    [HOUR, "About an hour"],
    [89 * MINUTE, "About an hour"],
    [90 * MINUTE, "2 hours"],
    [47 * HOUR, "47 hours"],
    [2 * DAY, "2 days"],
    [13 * DAY, "13 days"],
    [14 * DAY, "2 weeks"],
    [59 * DAY, "8 weeks"],
    [60 * DAY, "2 months"],
    [729 * DAY, "24 months"],
    [730 * DAY, "2 years"],
  ];
  for (const [ms, text] of table) expect([ms, humanDuration(ms)]).toEqual([ms, text]);
});

test("status texts", () => {
  const texts: readonly (readonly [Partial<ContainerStatus>, string])[] = [
    [{ state: "created" }, "Created"],
    [{ state: "running" }, "Up 2 minutes"],
    [
      { state: "running", health: { status: "starting", failingStreak: 0, log: [] } },
      "Up 2 minutes (health: starting)",
    ],
    [{ state: "running", health: { status: "healthy", failingStreak: 0, log: [] } }, "Up 2 minutes (healthy)"],
    [{ state: "running", health: { status: "unhealthy", failingStreak: 3, log: [] } }, "Up 2 minutes (unhealthy)"],
    [{ state: "running", health: { status: "none", failingStreak: 0, log: [] } }, "Up 2 minutes"],
    [{ state: "paused" }, "Up 2 minutes (Paused)"],
    [{ state: "restarting", exitCode: 1, finishedAt: EPOCH + 110 * SECOND }, "Restarting (1) 10 seconds ago"],
    [{ state: "exited", exitCode: 137, finishedAt: EPOCH + 60 * SECOND }, "Exited (137) About a minute ago"],
    [{ state: "removing" }, "Removal In Progress"],
    [{ state: "dead" }, "Dead"],
  ];
  for (const [change, text] of texts) {
    const { status } = container({ status: { startedAt: EPOCH, ...change } });
    expect(statusText(status, EPOCH + 2 * MINUTE)).toBe(text);
  }
});

test("commands are joined as docker ps shows them", () => {
  const { config } = container({ body: { Entrypoint: ["sh", "-c"], Cmd: ["echo hello", "x"] } }).spec;
  expect(commandText(config)).toBe("sh -c 'echo hello' x");
});

describe("a container in the list", () => {
  const running = container({
    body: { ExposedPorts: { "80/tcp": {} }, Labels: { a: "b" } },
    status: { state: "running", startedAt: EPOCH, endpoints: [endpoint] },
    mounts: [
      { type: "bind", source: "/src", destination: "/mnt", mode: "ro", writable: false, propagation: "rprivate" },
    ],
  });
  const surroundings = { now: EPOCH + 2 * SECOND, networkIds, shownImage: () => "bb", linkNames: () => [] };

  test("has the fields of dockerd 26.1", () => {
    expect(containerSummaryView(running, surroundings, new ApiVersion("1.45"), { writable: 0, root: 1984230 })).toEqual(
      {
        Id: running.id,
        Names: ["/one"],
        Image: "bb",
        ImageID: IMAGE_ID,
        Command: "sleep 600",
        Created: EPOCH / 1000,
        Ports: [{ PrivatePort: 80, Type: "tcp" }],
        SizeRootFs: 1984230,
        Labels: { a: "b" },
        State: "running",
        Status: "Up 2 seconds",
        HostConfig: { NetworkMode: "bridge" },
        NetworkSettings: {
          Networks: {
            bridge: {
              IPAMConfig: null,
              Links: null,
              Aliases: null,
              MacAddress: "02:42:ac:11:00:02",
              NetworkID: "d".repeat(64),
              EndpointID: "e".repeat(64),
              Gateway: "172.17.0.1",
              IPAddress: "172.17.0.2",
              IPPrefixLen: 16,
              IPv6Gateway: "",
              GlobalIPv6Address: "",
              GlobalIPv6PrefixLen: 0,
              DriverOpts: null,
              DNSNames: null,
            },
          },
        },
        Mounts: [{ Type: "bind", Source: "/src", Destination: "/mnt", Mode: "ro", RW: false, Propagation: "rprivate" }],
      },
    );
  });

  test("keeps its network's id once it has run, and has no ports while it does not", () => {
    const stopped = container({
      body: { ExposedPorts: { "80/tcp": {} } },
      status: { state: "exited", startedAt: EPOCH, finishedAt: EPOCH },
    });
    const view = containerSummaryView(stopped, surroundings, new ApiVersion("1.45"));
    expect(view.Ports).toEqual([]);
    expect(view.NetworkSettings.Networks.bridge).toMatchObject({
      NetworkID: "d".repeat(64),
      EndpointID: "",
      IPAddress: "",
    });
    expect(
      containerSummaryView(container(), surroundings, new ApiVersion("1.45")).NetworkSettings.Networks.bridge,
    ).toMatchObject({
      NetworkID: "",
    });
  });
});

test("inspect has every field of dockerd 26.1", () => {
  const place = {
    resolvConfPath: "/f/resolv.conf",
    hostnamePath: "/f/hostname",
    hostsPath: "/f/hosts",
    logPath: "/f/log",
    appArmorProfile: "",
    graphDriver: { name: "overlay2", data: { MergedDir: "/m" } },
    execIds: [],
  };
  const health = {
    status: "healthy",
    failingStreak: 0,
    log: [{ start: EPOCH, end: EPOCH + 38.5, exitCode: 0, output: "ok\n" }],
  } as const;
  const one = container({
    status: {
      state: "running",
      startedAt: EPOCH + 0.25,
      health,
      endpoints: [endpoint],
      namespacePath: "/run/netns/x",
      init: { pid: 5, startTime: 1 },
    },
  });
  const view = containerInspectView(one, place, networkIds, { sizes: { writable: 0, root: 7 } });
  const keys =
    "Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform MountLabel " +
    "ProcessLabel AppArmorProfile ExecIDs HostConfig GraphDriver SizeRw SizeRootFs Mounts Config NetworkSettings";
  expect(Object.keys(view).sort()).toEqual(keys.split(" ").sort());
  expect(view.State).toEqual({
    Status: "running",
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 5,
    ExitCode: 0,
    Error: "",
    StartedAt: "2026-01-01T00:00:00.00025Z",
    FinishedAt: "0001-01-01T00:00:00Z",
    Health: {
      Status: "healthy",
      FailingStreak: 0,
      Log: [{ Start: "2026-01-01T00:00:00Z", End: "2026-01-01T00:00:00.0385Z", ExitCode: 0, Output: "ok\n" }],
    },
  });
  expect(view).toMatchObject({
    Path: "sleep",
    Args: ["600"],
    ExecIDs: null,
    GraphDriver: { Name: "overlay2", Data: { MergedDir: "/m" } },
  });
  const hostKeys =
    "Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom ConsoleSize CapAdd CapDrop " +
    "CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj PidMode Privileged PublishAllPorts " +
    "ReadonlyRootfs SecurityOpt UTSMode UsernsMode ShmSize Runtime Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight " +
    "BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod CpuQuota " +
    "CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems Devices DeviceCgroupRules DeviceRequests MemoryReservation MemorySwap " +
    "MemorySwappiness OomKillDisable PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth MaskedPaths ReadonlyPaths";
  expect(Object.keys(view.HostConfig).sort()).toEqual(hostKeys.split(" ").sort());
  const networkKeys =
    "Bridge SandboxID SandboxKey Ports HairpinMode LinkLocalIPv6Address LinkLocalIPv6PrefixLen SecondaryIPAddresses SecondaryIPv6Addresses " +
    "EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen IPAddress IPPrefixLen IPv6Gateway MacAddress Networks";
  expect(Object.keys(view.NetworkSettings).sort()).toEqual(networkKeys.split(" ").sort());
});

describe("images", () => {
  const [now, v143, v142] = [new ApiVersion("1.45"), new ApiVersion("1.43"), new ApiVersion("1.42")];
  const counts = { shared: -1, containers: -1 };

  test("in the list, by version", () => {
    expect(imageSummaryView(image, now, counts)).toEqual({
      Containers: -1,
      Created: EPOCH / 1000,
      Id: IMAGE_ID,
      Labels: { tier: "base" },
      ParentId: "",
      RepoDigests: [],
      RepoTags: ["bb:latest"],
      SharedSize: -1,
      Size: 1984230,
    });
    expect(imageSummaryView(image, v143, counts)).toHaveProperty("VirtualSize", 1984230);
    const nameless = { ...image, tags: [] };
    expect(imageSummaryView(nameless, v143, counts)).toMatchObject({ RepoTags: [], RepoDigests: [] });
    expect(imageSummaryView(nameless, v142, counts)).toMatchObject({
      RepoTags: ["<none>:<none>"],
      RepoDigests: ["<none>@<none>"],
    });
  });

  test("inspected, by version", () => {
    const driver = { name: "overlay2", data: { UpperDir: "/u" } };
    const view = imageInspectView(image, driver, now);
    expect(view).toMatchObject({
      Id: IMAGE_ID,
      Parent: "",
      Comment: "Imported from -",
      Created: "2026-01-01T00:00:00.5Z",
      Architecture: "amd64",
      Os: "linux",
      Config: { Cmd: ["sh"], Env: null, Hostname: "", Tty: false },
      GraphDriver: { Name: "overlay2", Data: { UpperDir: "/u" } },
      RootFS: { Type: "layers" },
      Metadata: { LastTagTime: "2026-01-01T00:00:00.75Z" },
    });
    expect("ContainerConfig" in view || "VirtualSize" in view || "Container" in view).toBeFalse();
    expect(imageInspectView(image, driver, new ApiVersion("1.41"))).toMatchObject({
      VirtualSize: 1984230,
      ContainerConfig: { Cmd: null },
    });
  });

  test("history of layers that are no image here", () => {
    const [entry] = image.config.history ?? [];
    if (!entry) throw new Error("The fixture has a history");
    expect(imageHistoryView({ entry, id: undefined, tags: [], size: 3 })).toEqual({
      Comment: "Imported from -",
      Created: EPOCH / 1000,
      CreatedBy: "",
      Id: "<missing>",
      Size: 3,
      Tags: null,
    });
  });
});

test("events have the old fields beside the new", () => {
  const actor = { id: "c1", attributes: { image: "bb", name: "one" } };
  expect(eventView({ type: "container", action: "die", actor, at: EPOCH + 1.5 })).toEqual({
    status: "die",
    id: "c1",
    from: "bb",
    Type: "container",
    Action: "die",
    Actor: { ID: "c1", Attributes: { image: "bb", name: "one" } },
    scope: "local",
    time: EPOCH / 1000,
    timeNano: EPOCH * 1e6 + 1_500_000,
  });
  const network = eventView({ type: "network", action: "connect", actor: { id: "n1", attributes: {} }, at: EPOCH });
  expect("status" in network || "id" in network || "from" in network).toBeFalse();
});

describe("stats", () => {
  const cgroup = (version: 1 | 2): CgroupStats => ({
    version,
    cpu: { total: 44, user: 20, kernel: 10, perCpu: [25, 19], periods: 1, throttledPeriods: 2, throttledTime: 3 },
    memory: { usage: 790528, maxUsage: 4075520, limit: 2 ** 63, failCount: 0, stat: { cache: 1 } },
    pids: { current: 1, limit: 0 },
    blkio: version === 1 ? {} : { io_service_bytes_recursive: [{ major: 8, minor: 0, op: "read", value: 5 }] },
  });
  const sample = (current: CgroupStats | undefined): StatsSample => ({
    containerId: "c1",
    name: "one",
    read: current && EPOCH,
    previousRead: undefined,
    current,
    previous: undefined,
    networks: current
      ? {
          eth0: {
            rxBytes: 1,
            rxPackets: 2,
            rxErrors: 3,
            rxDropped: 4,
            txBytes: 5,
            txPackets: 6,
            txErrors: 7,
            txDropped: 8,
          },
        }
      : {},
    onlineCpus: 2,
    systemCpuUsage: 4390,
    previousSystemCpuUsage: 0,
  });
  const idle = {
    cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  };

  test("version 1", () => {
    const empty = Object.fromEntries(
      ["service_bytes", "serviced", "queue", "service_time", "wait_time", "merged", "time"].map((name) => [
        `io_${name}_recursive`,
        [],
      ]),
    );
    expect(statsView(sample(cgroup(1)), 1000)).toEqual({
      read: "2026-01-01T00:00:00Z",
      preread: "0001-01-01T00:00:00Z",
      pids_stats: { current: 1 },
      blkio_stats: { ...empty, sectors_recursive: [] },
      num_procs: 0,
      storage_stats: {},
      cpu_stats: {
        cpu_usage: { total_usage: 44, percpu_usage: [25, 19], usage_in_kernelmode: 10, usage_in_usermode: 20 },
        system_cpu_usage: 4390,
        online_cpus: 2,
        throttling_data: { periods: 1, throttled_periods: 2, throttled_time: 3 },
      },
      precpu_stats: idle,
      memory_stats: { usage: 790528, max_usage: 4075520, stats: { cache: 1 }, limit: 1000 },
      name: "/one",
      id: "c1",
      networks: {
        eth0: {
          rx_bytes: 1,
          rx_packets: 2,
          rx_errors: 3,
          rx_dropped: 4,
          tx_bytes: 5,
          tx_packets: 6,
          tx_errors: 7,
          tx_dropped: 8,
        },
      },
    });
  });

  test("version 2 has no counters by processor, no peak, and one blkio table", () => {
    const view = statsView(sample(cgroup(2)), 1000);
    expect("percpu_usage" in view.cpu_stats.cpu_usage).toBeFalse();
    expect(view.memory_stats).toEqual({ usage: 790528, stats: { cache: 1 }, limit: 1000 });
    expect(view.blkio_stats).toMatchObject({
      io_service_bytes_recursive: [{ major: 8, minor: 0, op: "read", value: 5 }],
      io_serviced_recursive: null,
      sectors_recursive: null,
    });
  });

  test("of a container that does not run are empty", () => {
    const view = statsView(sample(undefined), 1000);
    expect(view).toMatchObject({ read: "0001-01-01T00:00:00Z", memory_stats: {}, pids_stats: {}, cpu_stats: idle });
    expect(view.blkio_stats).toHaveProperty("io_service_bytes_recursive", null);
    expect("networks" in view).toBeFalse();
  });
});
