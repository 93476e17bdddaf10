import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from "../../policy/mod.ts";
import type { HostConfig } from "../../spec/mod.ts";
import type { HostFacts } from "../host-facts.ts";

/** Bytes (Docker's). */
const SHM_SIZE = 64 * 1024 * 1024;

/** Private where cgroup version 2 makes it cheap to tell the truth; on version 1 tools expect the host's. */
function cgroupNamespace({ CgroupnsMode, Privileged }: HostConfig, { cgroupVersion }: HostFacts): string {
  if (CgroupnsMode !== "") return CgroupnsMode;
  if (Privileged && cgroupVersion === 1) return "host";
  return cgroupVersion === 2 ? "private" : "host";
}

/** Nothing is hidden from a privileged container unless it says so. */
function kernelPaths(given: readonly string[] | null, usual: readonly string[], privileged: boolean) {
  return given ?? (privileged ? null : usual);
}

/** The host configuration as dockerd stores and shows it: every default written out. Does not check. */
export function normaliseHostConfig(given: HostConfig, host: HostFacts, defaultRuntime: string): HostConfig {
  const { Privileged, Memory, MemorySwap, PidsLimit, NetworkMode, SecurityOpt } = given;
  const sharesWithHost = given.IpcMode === "host" || given.PidMode === "host" || Privileged;
  const labelled = (SecurityOpt ?? []).some((option) => option.startsWith("label"));
  const disablesLabels = sharesWithHost && !labelled;
  return {
    ...given,
    MemorySwap: Memory > 0 && MemorySwap === 0 ? Memory * 2 : MemorySwap,
    // What means "no limit" is not stored.
    PidsLimit: PidsLimit !== null && PidsLimit <= 0 ? null : PidsLimit,
    OomKillDisable: given.OomKillDisable ?? (host.supports.oomKillDisable ? false : null),
    ShmSize: given.ShmSize || SHM_SIZE,
    IpcMode: given.IpcMode || "private",
    CgroupnsMode: cgroupNamespace(given, host),
    NetworkMode: NetworkMode === "" || NetworkMode === "default" ? "bridge" : NetworkMode,
    RestartPolicy: { ...given.RestartPolicy, Name: given.RestartPolicy.Name || "no" },
    Runtime: given.Runtime || defaultRuntime,
    SecurityOpt: disablesLabels ? [...(SecurityOpt ?? []), "label=disable"] : SecurityOpt,
    MaskedPaths: kernelPaths(given.MaskedPaths, DEFAULT_MASKED_PATHS, Privileged),
    ReadonlyPaths: kernelPaths(given.ReadonlyPaths, DEFAULT_READONLY_PATHS, Privileged),
  };
}
