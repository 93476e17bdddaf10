import { isIP } from "node:net";
import { HavreError, isHavreError } from "../../base/mod.ts";
import { parseUserns } from "../../identities/mod.ts";
import { decideCapabilities, parseSecurityOptions } from "../../policy/mod.ts";
import type { HostConfig, RestartPolicy } from "../../spec/mod.ts";
import type { HostFacts } from "../host-facts.ts";
import { checkMountRequest, checkTmpfsDestination } from "./mount-request.ts";
import { quoted, refuse } from "./refuse.ts";

const HIGHEST_PORT = 65535;

/** `invalid-argument` in Docker's words for a policy that makes no sense. */
export function checkRestartPolicy({ Name, MaximumRetryCount }: RestartPolicy): void {
  if (Name === "") return;
  if (!["no", "always", "on-failure", "unless-stopped"].includes(Name))
    throw refuse(
      `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (Name === "on-failure") {
    if (MaximumRetryCount < 0) throw refuse("invalid restart policy: maximum retry count cannot be negative");
  } else if (MaximumRetryCount !== 0)
    throw refuse(
      `invalid restart policy: maximum retry count can only be used with 'on-failure'${
        MaximumRetryCount < 0 ? " and cannot be negative" : ""
      }`,
    );
}

function extraHost(entry: string): void {
  const at = entry.indexOf(":");
  if (at <= 0) throw refuse(`bad format for add-host: ${quoted(entry)}`);
  const address = entry.slice(at + 1);
  if (address !== "host-gateway" && isIP(address.trim()) === 0)
    throw refuse(`invalid IP address in add-host: ${quoted(address)}`);
}

function isPort(text: string): boolean {
  return text === "" || (/^\d+$/.test(text) && Number(text) <= HIGHEST_PORT);
}

function isPortRange(text: string): boolean {
  const [first = "", last = first, ...more] = text.split("-");
  return more.length === 0 && isPort(first) && isPort(last) && Number(first) <= Number(last);
}

function portBindings(bindings: HostConfig["PortBindings"]): void {
  for (const [container, places] of Object.entries(bindings)) {
    const [port = ""] = container.split("/");
    if (!isPort(port)) throw refuse(`invalid port specification: ${quoted(port)}`);
    for (const { HostPort } of places ?? []) {
      const [hostPort = ""] = HostPort.split("/");
      if (!isPortRange(hostPort)) throw refuse(`invalid port specification: ${quoted(HostPort)}`);
    }
  }
}

function capabilities({ CapAdd, CapDrop }: HostConfig, { capabilities: available }: HostFacts): void {
  const none = { add: [], drop: [], privileged: false, available };
  const check = (field: string, request: { readonly add?: readonly string[]; readonly drop?: readonly string[] }) => {
    try {
      decideCapabilities({ ...none, ...request });
    } catch (error) {
      if (!isHavreError(error, "invalid-argument")) throw error;
      throw new HavreError("invalid-argument", `invalid ${field}: ${error.message}`, { cause: error });
    }
  };
  check("CapAdd", { add: CapAdd ?? [] });
  check("CapDrop", { drop: CapDrop ?? [] });
}

function joins(mode: string): boolean {
  return mode.startsWith("container:");
}

function namespaceModes(hostConfig: HostConfig): void {
  const { IpcMode, PidMode, UTSMode, CgroupnsMode, UsernsMode } = hostConfig;
  if (!["", "none", "private", "host", "shareable"].includes(IpcMode) && !joins(IpcMode))
    throw refuse(`invalid IPC mode: ${IpcMode}`);
  const joinsNamed = joins(PidMode) && PidMode !== "container:";
  if (PidMode !== "" && PidMode !== "host" && !joinsNamed) throw refuse(`invalid PID mode: ${PidMode}`);
  if (hostConfig.ShmSize < 0) throw refuse("SHM size can not be less than 0");
  if (UTSMode !== "" && UTSMode !== "host") throw refuse(`invalid UTS mode: ${UTSMode}`);
  if (hostConfig.OomScoreAdj < -1000 || hostConfig.OomScoreAdj > 1000)
    throw refuse(`Invalid value ${hostConfig.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  if (!["", "host", "private"].includes(CgroupnsMode)) throw refuse(`invalid cgroup namespace mode: ${CgroupnsMode}`);
  parseUserns(UsernsMode);
}

/** What only the host's root may have is refused to one that is root of its own ids alone, in Docker's words. */
export function checkOwnUsers(
  { Privileged, NetworkMode, PidMode, UsernsMode }: HostConfig,
  usual: "host" | "own",
): void {
  if (UsernsMode === "" ? usual === "host" : UsernsMode === "host") return;
  if (Privileged)
    throw refuse(
      "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode",
    );
  if (NetworkMode === "host")
    throw refuse("cannot share the host's network namespace when user namespaces are enabled");
  if (PidMode === "host") throw refuse("cannot share the host PID namespace when user namespaces are enabled");
}

function hostWarnings({ NetworkMode, PortBindings, CgroupnsMode }: HostConfig, host: HostFacts): string[] {
  const ownNetwork = NetworkMode !== "host" && NetworkMode !== "none";
  return [
    ...(!host.ipv4Forwarding && ownNetwork ? ["IPv4 forwarding is disabled. Networking will not work."] : []),
    ...(NetworkMode === "host" && Object.keys(PortBindings).length > 0
      ? ["Published ports are discarded when using host network mode"]
      : []),
    ...(CgroupnsMode === "private" && !host.cgroupNamespaces
      ? ["Your kernel does not support cgroup namespaces.  Cgroup namespace setting discarded."]
      : []),
  ];
}

/** Checks what a container asks of the host, limits left out; returns warnings. `invalid-argument` in Docker's words. */
export function checkHostConfig(hostConfig: HostConfig, host: HostFacts): readonly string[] {
  if (hostConfig.Isolation !== "" && hostConfig.Isolation.toLowerCase() !== "default")
    throw refuse(`Invalid isolation: ${quoted(hostConfig.Isolation)} - linux only supports 'default'`);
  const restarts = hostConfig.RestartPolicy.Name !== "" && hostConfig.RestartPolicy.Name !== "no";
  if (hostConfig.AutoRemove && restarts) throw refuse("can't create 'AutoRemove' container with restart policy");
  for (const mount of hostConfig.Mounts ?? []) checkMountRequest(mount);
  for (const entry of hostConfig.ExtraHosts ?? []) extraHost(entry);
  portBindings(hostConfig.PortBindings);
  checkRestartPolicy(hostConfig.RestartPolicy);
  capabilities(hostConfig, host);
  if (Object.hasOwn(hostConfig.Annotations ?? {}, ""))
    throw refuse("invalid Annotations: the empty string is not permitted as an annotation key");
  namespaceModes(hostConfig);
  for (const destination of Object.keys(hostConfig.Tmpfs ?? {})) checkTmpfsDestination(destination);
  parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  if (Object.keys(hostConfig.StorageOpt ?? {}).length > 0)
    throw new HavreError(
      "not-implemented",
      "--storage-opt is not supported: writable layers have no size of their own",
    );
  return hostWarnings(hostConfig, host);
}
