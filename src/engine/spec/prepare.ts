import { HavreError } from "../../base/mod.ts";
import type { UserNamespace } from "../../identities/mod.ts";
import type { Sandbox } from "../../networks/mod.ts";
import { sharedMemoryFolder } from "../../runtime/mod.ts";
import type { RuntimeProcess, RuntimeSpec } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import { bundleFolder, type EngineContext } from "../context.ts";
import { makeMountSources } from "../create/mod.ts";
import type { ExecConfig } from "../engine.ts";
import { type LinkedNames, linkedNames } from "../lifecycle/links.ts";
import { getContainer, hasProcess } from "../lookup.ts";
import { filesIn, writeNetworkFiles } from "../networking/mod.ts";
import { buildRuntimeSpec } from "./build.ts";
import { buildExecProcess } from "./exec-process.ts";
import { joinedContainer } from "./namespaces.ts";

export interface Prepared {
  readonly rootfs: string;
  readonly sandbox: Sandbox;
  /** The container's durable folder. */
  readonly folder: string;
  /** Where its network files are shown with its own owners; absent: they are bound from where they are. */
  readonly files?: string | undefined;
  /** Its user namespace; absent: the host's. */
  readonly user?: UserNamespace | undefined;
}

const NO_LINKS: LinkedNames = { environment: [], hosts: [] };

/** Writes the files a container gets from its host and builds its runtime specification. */
export async function prepareRuntimeSpec(
  context: EngineContext,
  container: Container,
  { rootfs, sandbox, folder, files: shown, user }: Prepared,
): Promise<RuntimeSpec> {
  const { hostConfig } = container.spec;
  const pid = sharedProcess(context, hostConfig.PidMode, "PID");
  const ipc = sharedProcess(context, hostConfig.IpcMode, "IPC");
  makeMountSources(container.spec);
  const shm = shmFolder(context, container);
  const { initPath } = context.config;
  const linked = sandbox.endpoints.some(({ networkName }) => networkName === "bridge")
    ? linkedNames(context, container)
    : NO_LINKS;
  const files = await writeNetworkFiles(context, container, { endpoints: sandbox.endpoints, folder, linked });
  const built = buildRuntimeSpec({
    id: container.id,
    spec: container.spec,
    rootfs,
    sandbox,
    files: shown === undefined ? files : filesIn(shown),
    ...(user === undefined ? {} : { userNamespace: user }),
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

function sharedProcess(context: EngineContext, mode: string, what: "PID" | "IPC"): number | undefined {
  if (!mode.startsWith("container:")) return undefined;
  const other = getContainer(context.store, mode.slice("container:".length));
  const refuse = (why: string, hint: string): never => {
    throw new HavreError("internal", `failed to join ${what} namespace: container ${other.id}${why}`, { hint });
  };
  if (!hasProcess(other)) return refuse(" is not running", `Start it first: havre start ${other.name}`);
  if (what === "IPC" && ["private", "none"].includes(other.spec.hostConfig.IpcMode)) {
    return refuse(
      `: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      `Create ${other.name} with --ipc shareable`,
    );
  }
  return other.status.init.pid;
}

/** Where the memory that the container shares with others is on the host; undefined: it has its own. */
function shmFolder(context: EngineContext, container: Container): string | undefined {
  const mode = container.spec.hostConfig.IpcMode;
  if (mode === "host") return "/dev/shm";
  if (mode === "shareable") return sharedMemoryFolder(bundleFolder(context, container.id));
  const donor = joinedContainer(mode);
  return donor === undefined ? undefined : shmFolder(context, getContainer(context.store, donor));
}
