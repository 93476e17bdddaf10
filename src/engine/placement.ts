import { join } from "node:path";
import type { Digest } from "../base/mod.ts";
import { appArmorNameOf } from "./apparmor.ts";
import type { Container } from "./container.ts";
import { containerFolder, type EngineContext, logPath } from "./context.ts";
import type { ContainerExecs } from "./execs.ts";
import { getContainer } from "./lookup.ts";

/** Where a tree is kept, as Docker's `GraphDriver` tells it. */
export interface GraphDriver {
  readonly name: string;
  readonly data: Readonly<Record<string, string>> | null;
}

/** Where a container's things are on this host: what `inspect` tells beside the container itself. */
export interface ContainerPlacement {
  readonly resolvConfPath: string;
  readonly hostnamePath: string;
  readonly hostsPath: string;
  readonly logPath: string;
  readonly appArmorProfile: string;
  readonly graphDriver: GraphDriver;
  /** Execs that run. */
  readonly execIds: readonly string[];
}

const DRIVER = "overlay2";

/** Tells where things are kept. */
export class Placements {
  readonly #context: EngineContext;
  readonly #execs: ContainerExecs;

  constructor(context: EngineContext, execs: ContainerExecs) {
    this.#context = context;
    this.#execs = execs;
  }

  container(ref: string): ContainerPlacement {
    const container = getContainer(this.#context.store, ref);
    const { id } = container;
    const folder = containerFolder(this.#context, id);
    const started = container.status.startedAt !== undefined;
    const at = (name: string) => (started ? join(folder, name) : "");
    return {
      resolvConfPath: at("resolv.conf"),
      hostnamePath: at("hostname"),
      hostsPath: at("hosts"),
      logPath: started && container.spec.hostConfig.LogConfig.Type !== "none" ? logPath(this.#context, id) : "",
      appArmorProfile: this.#appArmorProfile(container),
      graphDriver: { name: DRIVER, data: overlayData(this.#context, id) },
      execIds: this.#execs.runningIdsOf(id),
    };
  }

  #appArmorProfile({ spec, status }: Container): string {
    if (!this.#context.host.apparmor || status.startedAt === undefined) return "";
    return appArmorNameOf(spec, this.#context.host);
  }

  image(_id: Digest): GraphDriver {
    return { name: DRIVER, data: null };
  }
}

/** Docker's names for the folders of an overlay. */
function overlayData(context: EngineContext, id: string): Readonly<Record<string, string>> {
  const options = context.snapshots.mounts(id).at(-1)?.options ?? [];
  const optionOf = (name: string) => options.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  return {
    LowerDir: optionOf("lowerdir"),
    MergedDir: context.snapshots.mountPoint(id),
    UpperDir: optionOf("upperdir"),
    WorkDir: optionOf("workdir"),
  };
}
