import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, HavreError } from "../../base/mod.ts";
import { hostnameFile, hostsFile, resolvConf, type Sandbox } from "../../networks/mod.ts";
import { sharedMemoryFolder } from "../../runtime/mod.ts";
import type { RuntimeProcess, RuntimeSpec } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import { bundleFolder, type EngineContext } from "../context.ts";
import { makeMountSources } from "../create/mod.ts";
import type { ExecConfig } from "../engine.ts";
import { type LinkedNames, linkedNames } from "../lifecycle/links.ts";
import { networkModeOf } from "../lifecycle/network-mode.ts";
import { getContainer, requireRunning } from "../lookup.ts";
import { buildRuntimeSpec } from "./build.ts";
import { buildExecProcess } from "./exec-process.ts";
import { joinedContainer } from "./namespaces.ts";

export interface Prepared {
  readonly rootfs: string;
  readonly sandbox: Sandbox;
  /** The container's durable folder. */
  readonly folder: string;
}

const NO_LINKS: LinkedNames = { environment: [], hosts: [] };

/** Writes the files a container gets from its host and builds its runtime specification. */
export async function prepareRuntimeSpec(
  context: EngineContext,
  container: Container,
  { rootfs, sandbox, folder }: Prepared,
): Promise<RuntimeSpec> {
  const { hostConfig } = container.spec;
  const pid = sharedProcess(context, hostConfig.PidMode, "pid");
  const ipc = sharedProcess(context, hostConfig.IpcMode, "ipc");
  makeMountSources(container.spec);
  const shm = shmFolder(context, container);
  const { initPath } = context.config;
  const linked = networkModeOf(context, container).kind === "networks" ? linkedNames(context, container) : NO_LINKS;
  const built = buildRuntimeSpec({
    id: container.id,
    spec: container.spec,
    rootfs,
    sandbox,
    files: await writeFiles(context, container, { sandbox, folder, linked }),
    linkedEnvironment: linked.environment,
    shared: { ...(pid === undefined ? {} : { pid }), ...(ipc === undefined ? {} : { ipc }) },
    ...(shm === undefined ? {} : { shmFolder: shm }),
    ...(initPath === undefined ? {} : { initPath }),
    cgroupParent: context.config.cgroupParent,
    host: context.host,
  });
  for (const warning of built.warnings) context.log.warn(warning, { container: container.id });
  return built.spec;
}

/** The process of an exec, as the container's own but for what the exec says. */
export async function prepareExecProcess(
  context: EngineContext,
  container: Container,
  config: ExecConfig,
): Promise<RuntimeProcess> {
  const pid = container.status.init?.pid;
  if (pid === undefined) throw new HavreError("internal", `Container ${container.id} runs without a known process`);
  const rootfs = `/proc/${pid}/root`;
  return buildExecProcess({ spec: container.spec, exec: config, rootfs, host: context.host });
}

function sharedProcess(context: EngineContext, mode: string, what: string): number | undefined {
  if (!mode.startsWith("container:")) return undefined;
  const other = getContainer(context.store, mode.slice("container:".length));
  requireRunning(other);
  if (what === "ipc" && ["private", "none"].includes(other.spec.hostConfig.IpcMode)) {
    throw new HavreError(
      "internal",
      `failed to join IPC namespace: container ${other.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  }
  return other.status.init?.pid;
}

/** Where the memory that the container shares with others is on the host; undefined: it has its own. */
function shmFolder(context: EngineContext, container: Container): string | undefined {
  const mode = container.spec.hostConfig.IpcMode;
  if (mode === "host") return "/dev/shm";
  if (mode === "shareable") return sharedMemoryFolder(bundleFolder(context, container.id));
  const donor = joinedContainer(mode);
  return donor === undefined ? undefined : shmFolder(context, getContainer(context.store, donor));
}

async function writeFiles(
  context: EngineContext,
  container: Container,
  { sandbox, folder, linked }: Pick<Prepared, "sandbox" | "folder"> & { readonly linked: LinkedNames },
): Promise<{ readonly hosts?: string; readonly hostname?: string; readonly resolvConf?: string }> {
  const { config, hostConfig } = container.spec;
  if (hostConfig.NetworkMode.startsWith("container:")) {
    const donor = getContainer(context.store, hostConfig.NetworkMode.slice("container:".length));
    return filesIn(join(context.config.paths.containers, donor.id));
  }
  const files = filesIn(folder);
  const mode = networkModeOf(context, container);
  const hosts = hostsFile({
    hostname: config.Hostname,
    domainname: config.Domainname,
    addresses: sandbox.endpoints
      .flatMap(({ ipAddress, ipv6Address }) => [ipAddress, ipv6Address])
      .filter((one) => one !== ""),
    extraHosts: [...(hostConfig.ExtraHosts ?? []), ...linked.hosts],
    hostGateway: context.networks.get("bridge").pools[0]?.gateway ?? "",
  });
  // As Docker does: on the host's network the host's own names hold, unless more are asked for.
  const ofHost = mode.kind === "host" && (hostConfig.ExtraHosts ?? []).length === 0;
  await Promise.all([
    writeFile(files.hostname, hostnameFile(config.Hostname)),
    ofHost ? copyHostsOfHost(files.hosts) : writeFile(files.hosts, hosts),
    writeFile(
      files.resolvConf,
      resolvConf(
        context.networks.hostResolver(mode.kind === "host"),
        {
          nameservers: hostConfig.Dns ?? [],
          search: hostConfig.DnsSearch ?? [],
          options: hostConfig.DnsOptions ?? [],
        },
        { kind: mode.kind === "host" ? "host" : "default" },
      ),
    ),
  ]);
  return files;
}

/** A host may do without the file: then nothing is named. */
async function copyHostsOfHost(target: string): Promise<void> {
  try {
    await copyFile("/etc/hosts", target);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    await writeFile(target, "");
  }
}

function filesIn(folder: string): { readonly hosts: string; readonly hostname: string; readonly resolvConf: string } {
  return { hosts: join(folder, "hosts"), hostname: join(folder, "hostname"), resolvConf: join(folder, "resolv.conf") };
}
