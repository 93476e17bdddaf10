import { HavreError } from "../../base/mod.ts";
import type { HostConfig, NamespaceType } from "../../spec/mod.ts";
import type { SpecInput } from "./input.ts";

interface Namespace {
  readonly type: NamespaceType;
  readonly path?: string;
}

/** The container a `container:NAME` mode names; undefined for any other mode. */
export function joinedContainer(mode: string): string | undefined {
  return mode.startsWith("container:") ? mode.slice("container:".length) : undefined;
}

/** Own, shared with the host (none at all), or joined through the init process of another container. */
function ownHostOrJoined(type: NamespaceType, file: string, mode: string, pid: number | undefined): Namespace[] {
  if (mode === "host") return [];
  const joined = joinedContainer(mode);
  if (joined === undefined) return [{ type }];
  if (pid === undefined)
    throw new HavreError(
      "failed-precondition",
      `cannot join the ${type} namespace of container ${joined}: it does not run`,
    );
  return [{ type, path: `/proc/${pid}/ns/${file}` }];
}

/** Only the host mode shares the host's network: without a prepared namespace a container gets an empty one. */
function network(mode: string, path: string | undefined): Namespace[] {
  if (mode === "host") return [];
  return [{ type: "network", ...(path === undefined ? {} : { path }) }];
}

export function ownsNetwork({ NetworkMode }: HostConfig): boolean {
  return NetworkMode !== "host" && joinedContainer(NetworkMode) === undefined;
}

export function privatePid(hostConfig: HostConfig): boolean {
  return hostConfig.PidMode !== "host" && joinedContainer(hostConfig.PidMode) === undefined;
}

/** Namespaces a container gets, and those it joins by path. One that is missing is the host's. */
export function buildNamespaces({ spec, sandbox, shared, userNamespace }: SpecInput): Namespace[] {
  const { hostConfig } = spec;
  return [
    // First: what the runtime makes after it belongs to it.
    ...(userNamespace === undefined ? [] : [{ type: "user", path: userNamespace.path } as const]),
    { type: "mount" },
    ...network(hostConfig.NetworkMode, sandbox.namespacePath),
    ...(hostConfig.UTSMode === "host" ? [] : [{ type: "uts" } as const]),
    ...ownHostOrJoined("pid", "pid", hostConfig.PidMode, shared.pid),
    ...ownHostOrJoined("ipc", "ipc", hostConfig.IpcMode, shared.ipc),
    ...(hostConfig.CgroupnsMode === "private" ? [{ type: "cgroup" } as const] : []),
  ];
}
