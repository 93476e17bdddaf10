import { join } from "node:path";
import { isHavreError, type Logger, newId, systemClock } from "../base/mod.ts";
import {
  Builder,
  type BuildkitConnections,
  ClassicBuilds,
  type FetchImage,
  formatPlatform,
  lazyBuildkit,
  NativeBuilds,
  RemoteCaches,
  type StepProcess,
} from "../builder/mod.ts";
import { Catalogue, CatalogueDistribution } from "../catalogue/mod.ts";
import type { ContentStore } from "../content/mod.ts";
import { type EngineContext, stepRuntimeSpec } from "../engine/mod.ts";
import { type Distribution, hostPlatform, type LocalImages, neededByImages } from "../images/mod.ts";
import { familiarReference, parseReference } from "../spec/mod.ts";

export interface BuilderAssembly {
  readonly builder: Builder;
  readonly classic: ClassicBuilds;
  readonly native: NativeBuilds;
  readonly buildkit: BuildkitConnections;
  readonly catalogue: Catalogue;
  /** Registries, and the catalogue as one more. */
  readonly distribution: Distribution;
}

/** Entries of the operator's own. */
const CATALOGUE_FOLDER = "/etc/havre/catalogue";

/** Puts the builder on an engine: its steps are confined as the engine's containers are. */
export function assembleBuilder(
  context: EngineContext,
  images: LocalImages,
  content: ContentStore,
  folders: { readonly root: string; readonly run: string },
  log: Logger,
): BuilderAssembly {
  const ops = {
    content,
    snapshots: context.snapshots,
    images,
    networks: context.networks,
    runtime: context.runtime,
    confinement: {
      runtime: context.config.defaultRuntime,
      specFor: (step: StepProcess) => stepRuntimeSpec(context, { ...step, ...requestOf(step) }),
    },
    clock: systemClock,
    newId,
    log,
    root: join(folders.root, "builder"),
    run: join(folders.run, "build"),
    bundles: context.config.paths.bundles,
  };
  const builder = new Builder(context.store, ops, images, {
    imageLayers: (tx) => neededByImages(tx).layers,
    collect: () => images.collect(),
  });
  const fetch = imageFetcher(images, () => distribution);
  const catalogue = new Catalogue({
    builder,
    images,
    content,
    snapshots: context.snapshots,
    folder: join(folders.root, "catalogue"),
    entries: CATALOGUE_FOLDER,
    findImage: (name, platform, signal) =>
      fetch(name, platform, { pull: false, credentials: () => ({}), progress: () => {}, signal }),
  });
  const distribution: Distribution = new CatalogueDistribution(images.distribution, catalogue);
  const platform = hostPlatform();
  const run = join(folders.run, "build");
  const { artifacts } = images;
  const tools = { builder, distribution, artifacts, content, fetch, platform, newId, run };
  const buildkit = lazyBuildkit({ ...tools, clock: systemClock, log });
  const remote = { fetch, caches: new RemoteCaches({ builder, images, artifacts, content, log }) };
  const classic = new ClassicBuilds(builder, images, remote, platform);
  const native = new NativeBuilds({ ...remote, builder, content, platform, newId, run });
  return { builder, classic, native, buildkit, catalogue, distribution };
}

/** Images of this machine, those that are not here from their registry or the catalogue. */
function imageFetcher(images: LocalImages, distribution: () => Distribution): FetchImage {
  return async (name, platform, { pull, credentials, progress, signal }) => {
    const wanted = formatPlatform(platform);
    const here = () => {
      const { id, config } = images.resolve(name, wanted);
      return { id, name: familiarReference(parseReference(name)), config };
    };
    if (!pull) {
      try {
        return here();
      } catch (error) {
        if (!isHavreError(error, "not-found")) throw error;
      }
    }
    const { domain } = parseReference(name);
    const request = { reference: name, platform: wanted, beside: true, credentials: credentials(domain) };
    await distribution().pull(request, progress, signal);
    return here();
  };
}

/** What of a step its confinement goes by. */
function requestOf({ op, env }: StepProcess) {
  const { limits } = op;
  return {
    args: op.args,
    env: [...op.passingEnv, ...op.env, ...env],
    user: op.user,
    workingFolder: op.workingFolder,
    network: op.network,
    privileged: op.insecure,
    extraHosts: op.extraHosts,
    limits: {
      ShmSize: limits.shmSize,
      Ulimits: limits.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
      Memory: limits.memory,
      MemorySwap: limits.memorySwap,
      CpuShares: limits.cpuShares,
      CpuPeriod: limits.cpuPeriod,
      CpuQuota: limits.cpuQuota,
      CpusetCpus: limits.cpusetCpus,
      CpusetMems: limits.cpusetMems,
      CgroupParent: limits.cgroupParent,
    },
  };
}
