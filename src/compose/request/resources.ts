import type { Service } from "../schema/service.ts";

type Body = Readonly<Record<string, unknown>>;

/** Limits and devices of a service as the API's HostConfig has them (Docker API `Resources`). */
export function resources(service: Service): Body {
  const { deploy, blkio_config: block } = service;
  const limits = deploy?.resources?.limits;
  const reserved = deploy?.resources?.reservations;
  const throttles = (all: readonly { path?: string; rate?: number }[] = []) =>
    all.map(({ path, rate }) => ({ Path: path, Rate: rate }));
  return {
    CgroupParent: service.cgroup_parent ?? "",
    Memory: limits?.memory || service.mem_limit || 0,
    MemorySwap: service.memswap_limit ?? 0,
    ...(service.mem_swappiness ? { MemorySwappiness: service.mem_swappiness } : {}),
    MemoryReservation: reserved?.memory || service.mem_reservation || 0,
    OomKillDisable: service.oom_kill_disable ?? false,
    CpuPeriod: service.cpu_period ?? 0,
    CpuQuota: service.cpu_quota ?? 0,
    CpuRealtimePeriod: service.cpu_rt_period ?? 0,
    CpuRealtimeRuntime: service.cpu_rt_runtime ?? 0,
    CpuShares: service.cpu_shares ?? 0,
    NanoCpus: Math.round((limits?.cpus || service.cpus || 0) * 1e9),
    CpusetCpus: service.cpuset ?? "",
    ...(pidsLimit(service) === undefined ? {} : { PidsLimit: pidsLimit(service) }),
    BlkioWeight: block?.weight ?? 0,
    BlkioWeightDevice: (block?.weight_device ?? []).map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: throttles(block?.device_read_bps),
    BlkioDeviceReadIOps: throttles(block?.device_read_iops),
    BlkioDeviceWriteBps: throttles(block?.device_write_bps),
    BlkioDeviceWriteIOps: throttles(block?.device_write_iops),
    Devices: (service.devices ?? []).map(({ source, target, permissions }) => ({
      PathOnHost: source,
      PathInContainer: target ?? source,
      CgroupPermissions: permissions ?? "rwm",
    })),
    DeviceCgroupRules: service.device_cgroup_rules ?? [],
    DeviceRequests: [...(reserved?.devices ?? []), ...(service.gpus ?? [])].map((device) => ({
      Driver: device.driver ?? "",
      Count: device.count ?? 0,
      DeviceIDs: device.device_ids ?? [],
      Capabilities: [device.capabilities ?? ["gpu"]],
      Options: device.options ?? {},
    })),
    Ulimits: Object.entries(service.ulimits ?? {}).map(([name, { single, soft, hard }]) => ({
      Name: name,
      Soft: soft ?? single,
      Hard: hard ?? single,
    })),
  };
}

function pidsLimit(service: Service): number | undefined {
  return service.deploy?.resources?.limits?.pids || service.pids_limit || undefined;
}

/** `restart`, or what `deploy.restart_policy` says instead. */
export function restartPolicy({ restart, deploy }: Service): Body {
  const policy = deploy?.restart_policy;
  const [word = "", times] = (restart ?? "").split(":");
  const name = policy ? (policy.condition ?? "any") : word;
  const attempts = policy ? (policy.max_attempts ?? 0) : Number(times ?? 0);
  const known: Readonly<Record<string, string>> = { none: "no", any: "always" };
  return { Name: known[name] ?? name, MaximumRetryCount: attempts };
}
