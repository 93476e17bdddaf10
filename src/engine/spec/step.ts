import { mkdir } from "node:fs/promises";
import type { Sandbox } from "../../networks/mod.ts";
import { decodeContainerCreate, type RuntimeMount, type RuntimeSpec } from "../../spec/mod.ts";
import type { Container, ContainerSpec } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { normaliseHostConfig } from "../create/mod.ts";
import { writeNetworkFiles } from "../networking/mod.ts";
import { buildRuntimeSpec } from "./build.ts";

/** A process that is confined as a container without being one: a step of a build. */
export interface StepRequest {
  readonly id: string;
  readonly rootfs: string;
  readonly sandbox: Sandbox;
  /** For the files it gets from its host. */
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly workingFolder: string;
  /** `none`, `host`, or a network's name. */
  readonly network: string;
  readonly privileged: boolean;
  /** `name:address`. */
  readonly extraHosts: readonly string[];
  /** Limits as HostConfig has them. */
  readonly limits: Readonly<Record<string, unknown>>;
  /** Beyond those of every container. */
  readonly mounts: readonly RuntimeMount[];
}

const NO_LINKS = { environment: [], hosts: [] };

/** The specification of a step's process: a container's with every default, and the step's own mounts. */
export async function stepRuntimeSpec(context: EngineContext, step: StepRequest): Promise<RuntimeSpec> {
  const { id, rootfs, sandbox, folder } = step;
  const spec = containerSpecOf(context, step);
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const built = buildRuntimeSpec({
    id,
    spec,
    rootfs,
    sandbox,
    files: await writeNetworkFiles(context, standIn(id, spec), {
      endpoints: sandbox.endpoints,
      folder,
      linked: NO_LINKS,
    }),
    shared: {},
    cgroupParent: context.config.cgroupParent,
    host: context.host,
  });
  for (const warning of built.warnings) context.log.warn(warning, { step: id });
  return { ...built.spec, mounts: [...built.spec.mounts, ...step.mounts] };
}

function containerSpecOf(context: EngineContext, step: StepRequest): ContainerSpec {
  const { config, hostConfig } = decodeContainerCreate(
    JSON.stringify({
      Hostname: step.network === "host" ? context.host.hostname : step.id.slice(0, 12),
      Cmd: step.args,
      Env: step.env,
      User: step.user,
      WorkingDir: step.workingFolder,
      HostConfig: {
        NetworkMode: step.network,
        Privileged: step.privileged,
        ExtraHosts: step.extraHosts,
        ...step.limits,
      },
    }),
  );
  return {
    config,
    hostConfig: normaliseHostConfig(hostConfig, context.host, context.config.defaultRuntime),
    endpoints: {},
    imageId: undefined,
    chainId: undefined,
    mounts: [],
    platform: "linux",
  };
}

/** The container that the step's process is told it is in; it is nowhere recorded. */
function standIn(id: string, spec: ContainerSpec): Container {
  const status = {
    state: "created",
    exitCode: 0,
    error: "",
    oomKilled: false,
    restartCount: 0,
    stoppedByUser: false,
    endpoints: [],
  } as const;
  return { id, name: id, created: 0, spec, status };
}
