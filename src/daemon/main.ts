import { join } from "node:path";
import { createApiServer, type UseCases } from "../api/mod.ts";
import { lineLogger } from "../base/mod.ts";
import {
  ApplicationMoves,
  Audits,
  ContainerArchives,
  ContainerCommits,
  ContainerComparisons,
  ContainerExecs,
  ContainerNetworks,
  ContainerObservation,
  ContainerPorts,
  ContainerStreams,
  Grants,
  Observations,
  Placements,
  Refusals,
  recoverContainers,
  WatchedRefusals,
} from "../engine/mod.ts";
import { releaseProgramPages } from "../kernel/mod.ts";
import { measureModes } from "../networks/mod.ts";
import { assemble } from "./assemble.ts";
import { crashOnBugs, untilAskedToEnd } from "./crash.ts";
import { auditedHost, hostInfo } from "./host.ts";
import { hostGoesDown } from "./host-end.ts";
import type { DaemonOptions } from "./options.ts";
import { productInfo } from "./product.ts";
import { registrySettings } from "./registries.ts";
import { groupId } from "./socket-group.ts";

/**
 * Runs the engine until it is asked to end (SIGTERM, SIGINT). It may be killed at any instruction: the next start
 * finds everything as it really is. Containers go on without it.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const log = lineLogger((line) => process.stderr.write(line), options.logLevel);
  crashOnBugs(log);
  const assembly = await assemble(options, log);
  const { context, containers, images, volumes, runtime, events, hub, removedLogs, building, close } = assembly;
  building.builder.recover();
  await recoverContainers(context, containers);
  const execs = new ContainerExecs(context);
  const networks = new ContainerNetworks(context);
  const useCases: UseCases = {
    containers,
    execs,
    streams: new ContainerStreams(context, hub),
    removedLogs,
    archives: new ContainerArchives(context),
    observation: new ContainerObservation(context),
    commits: new ContainerCommits(context),
    builds: building.classic,
    buildkit: building.buildkit,
    nativeBuilds: building.native,
    buildCache: building.builder.cache,
    comparisons: new ContainerComparisons(context, images),
    audits: new Audits(context, images, () => auditedHost(options, context.host)),
    grants: new Grants(context),
    refusals: new WatchedRefusals(context, new Refusals(context)),
    observations: new Observations(context),
    placement: new Placements(context, execs),
    host: {
      product: productInfo(),
      info: () =>
        hostInfo({
          root: options.root,
          facts: context.host,
          runtime,
          registries: registrySettings(options),
          users: context.identities.usual,
          ...context.config,
        }),
    },
    events,
    images,
    imageHistory: images,
    imageAccounts: images,
    documents: images.documents,
    distribution: building.distribution,
    catalogue: building.catalogue,
    networkAdvice: { measure: (signal) => measureModes([process.execPath, "__measure"], signal) },
    networks,
    ports: new ContainerPorts(context),
    volumes,
    apps: new ApplicationMoves({ containers, images, networks, volumes, archives: volumes.archives }),
    volumeData: { archives: volumes.archives, backups: assembly.backups, schedules: assembly.schedules },
    log,
  };
  const server = createApiServer(useCases, () => {
    try {
      releaseProgramPages();
    } catch (error) {
      // Locked in memory by its operator, say: no harm is done.
      log.debug("The program's code stays in memory", { error });
    }
  });
  const socket = join(options.run, "havre.sock");
  const { socketGroup } = options;
  await server.listen(socket, { mode: 0o660, ...(socketGroup === undefined ? {} : { group: groupId(socketGroup) }) });
  log.info("ready", { socket });
  // What a killed daemon left half-made of images. Nobody waits for it.
  images.collect().catch((error) => log.error("images were not collected", { error }));
  assembly.schedules.start();
  await untilAskedToEnd();
  if (hostGoesDown()) await containers.standDown();
  await server.close();
  await close();
}
