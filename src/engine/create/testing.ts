/** A host for tests that look at no real one: two CPUs, everything supported but what `change` says. */
import { ALL_CAPABILITIES } from "../../policy/mod.ts";
import type { HostFacts } from "../host-facts.ts";

export function hostOf(change: Partial<HostFacts> = {}): HostFacts {
  return {
    hostname: "host",
    architecture: "amd64",
    kernel: "6.1.0",
    cgroupVersion: 2,
    cgroupNamespaces: true,
    onlineCpus: 2,
    cpus: "0-1",
    mems: "0",
    memory: 8 * 1024 ** 3,
    capabilities: ALL_CAPABILITIES.filter((name) => name !== "CAP_SYS_BOOT"),
    seccomp: true,
    landlock: 0,
    apparmor: false,
    selinux: false,
    ipv4Forwarding: true,
    limits: {},
    supports: {
      memory: true,
      swap: true,
      memoryReservation: true,
      swappiness: true,
      oomKillDisable: true,
      kernelMemory: false,
      cpuShares: true,
      cpuCfs: true,
      cpuRealtime: true,
      cpuset: true,
      pids: true,
      blkioWeight: true,
      blkioWeightDevice: true,
      blkioReadBps: true,
      blkioWriteBps: true,
      blkioReadIops: true,
      blkioWriteIops: true,
    },
    ...change,
  };
}
