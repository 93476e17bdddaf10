import { HavreError, isHavreError } from "../../base/mod.ts";
import type { IdMap } from "../../identities/mod.ts";
import { decideSeccomp, parseSecurityOptions, type SecurityOptions } from "../../policy/mod.ts";
import { makeTreeFolder } from "../../snapshots/mod.ts";
import type { HostConfig, RuntimeSpec } from "../../spec/mod.ts";
import { buildDevices } from "./devices.ts";
import type { BuiltSpec, SpecInput, Warn } from "./input.ts";
import { buildMounts } from "./mounts.ts";
import { buildNamespaces } from "./namespaces.ts";
import { buildProcess } from "./process.ts";
import { buildResources } from "./resources.ts";
import { buildSysctls } from "./sysctls.ts";

/** Understood by every crun and runc in use. */
const OCI_VERSION = "1.0.2";

function seccomp(
  { spec, host }: SpecInput,
  security: SecurityOptions,
  capabilities: readonly string[],
  warn: Warn,
): Pick<RuntimeSpec["linux"], "seccomp"> {
  if (!host.seccomp) {
    if (security.seccomp !== "" && security.seccomp !== "unconfined")
      throw new HavreError(
        "failed-precondition",
        "seccomp is not enabled in your kernel, cannot run a custom seccomp profile",
      );
    warn("This kernel has no seccomp: the container runs without a system call filter");
    return {};
  }
  const { profile } = decideSeccomp(security.seccomp, spec.hostConfig.Privileged, {
    architecture: host.architecture,
    kernel: host.kernel,
    capabilities,
  });
  return profile ? { seccomp: profile } : {};
}

function pathsOf({ spec }: SpecInput): Pick<RuntimeSpec["linux"], "maskedPaths" | "readonlyPaths"> {
  const { Privileged, MaskedPaths, ReadonlyPaths } = spec.hostConfig;
  if (Privileged) return {};
  return { maskedPaths: MaskedPaths ?? [], readonlyPaths: ReadonlyPaths ?? [] };
}

function hostName({ spec, userNamespace }: SpecInput): Pick<RuntimeSpec, "hostname" | "domainname"> {
  const { Hostname, Domainname } = spec.config;
  if (spec.hostConfig.UTSMode === "host") return {};
  return {
    ...(Hostname === "" ? {} : { hostname: Hostname }),
    ...(Domainname !== "" && userNamespace ? { domainname: Domainname } : {}),
  };
}

/** runc wants them beside a namespace that has them. */
function mappings({ uids, gids }: IdMap): Pick<RuntimeSpec["linux"], "uidMappings" | "gidMappings"> {
  const encode = (runs: IdMap["uids"]) =>
    runs.map(({ inside, outside, size }) => ({ containerID: inside, hostID: outside, size }));
  return { uidMappings: encode(uids), gidMappings: encode(gids) };
}

/** A container's cgroup, below the parent it names or else the engine's. */
export function cgroupsPath({ CgroupParent }: Pick<HostConfig, "CgroupParent">, parent: string, id: string): string {
  return `${CgroupParent || parent}/${id}`;
}

function build(input: SpecInput, warn: Warn): RuntimeSpec {
  const { spec, rootfs } = input;
  const { config, hostConfig } = spec;
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  if (config.WorkingDir !== "") makeTreeFolder(rootfs, config.WorkingDir, input.userNamespace?.root);
  const process = buildProcess(input, security, warn);
  const { nodes, rules } = buildDevices(hostConfig);
  const { mounts, rootPropagation } = buildMounts(input);
  const sysctl = buildSysctls(hostConfig, config.Domainname, input.userNamespace?.ids);
  return {
    ociVersion: OCI_VERSION,
    root: { path: rootfs, readonly: hostConfig.ReadonlyRootfs },
    ...hostName(input),
    process,
    mounts,
    ...(hostConfig.Annotations ? { annotations: hostConfig.Annotations } : {}),
    linux: {
      namespaces: buildNamespaces(input),
      ...(input.userNamespace ? mappings(input.userNamespace.ids) : {}),
      cgroupsPath: cgroupsPath(hostConfig, input.cgroupParent, input.id),
      resources: { ...buildResources(hostConfig), devices: rules },
      ...(nodes.length > 0 ? { devices: nodes } : {}),
      ...(Object.keys(sysctl).length > 0 ? { sysctl } : {}),
      ...seccomp(input, security, process.capabilities?.bounding ?? [], warn),
      ...pathsOf(input),
      ...(rootPropagation ? { rootfsPropagation: rootPropagation } : {}),
    },
  };
}

/**
 * The OCI runtime specification of a container. Reads the root's user files, makes the working folder, looks at the
 * host's device nodes and mounts; changes nothing else. An error here is the start's, not the request's: what Docker
 * answers with 500 is `internal`, with Docker's text.
 */
export function buildRuntimeSpec(input: SpecInput): BuiltSpec {
  const warnings: string[] = [];
  try {
    return { spec: build(input, (message) => warnings.push(message)), warnings };
  } catch (error) {
    if (!isHavreError(error, "invalid-argument")) throw error;
    throw new HavreError("internal", error.message, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
