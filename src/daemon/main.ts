import { existsSync } from "node:fs";
import { join } from "node:path";
import { createApiServer } from "../api/mod.ts";
import { KeyedMutex, lineLogger, newId, systemClock } from "../base/mod.ts";
import { FileContentStore } from "../content/mod.ts";
import {
  ContainerArchives,
  ContainerCommits,
  ContainerComparisons,
  ContainerExecs,
  ContainerLifecycle,
  ContainerObservation,
  ContainerStreams,
  containerUsers,
  type EngineContext,
  EventLog,
  Placements,
  RemovedLogs,
  readHostFacts,
  recoverContainers,
  StreamHub,
  Waiters,
} from "../engine/mod.ts";
import { LocalImages } from "../images/mod.ts";
import { HostNetworks } from "../networks/mod.ts";
import { ConmonRuntime } from "../runtime/mod.ts";
import { OverlaySnapshotter } from "../snapshots/mod.ts";
import { SqliteStore } from "../store/mod.ts";
import { crashOnBugs, untilAskedToEnd } from "./crash.ts";
import { makeFolders } from "./folders.ts";
import { hostInfo } from "./host.ts";
import type { DaemonOptions } from "./options.ts";
import { productInfo } from "./product.ts";
import { groupId } from "./socket-group.ts";

/** Bytes of a generation of a container's log, and how many are kept, unless the container says otherwise. */
const LOG_MAX_SIZE = 16 * 1024 * 1024;
const LOG_MAX_FILES = 5;
const INIT_PATHS = ["/usr/bin/catatonit", "/usr/libexec/podman/catatonit", "/usr/bin/tini", "/usr/bin/docker-init"];

/**
 * Runs the engine until it is asked to end (SIGTERM, SIGINT). It may be killed at any instruction: the next start
 * finds everything as it really is. Containers go on without it.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const log = lineLogger((line) => process.stderr.write(line), options.logLevel);
  crashOnBugs(log);
  const folders = makeFolders(options);
  const store = new SqliteStore(join(options.root, "state.db"));
  const content = new FileContentStore(options.root);
  content.recover();
  const snapshots = new OverlaySnapshotter(options.root, log);
  await snapshots.recover();
  const events = new EventLog(systemClock);
  const images = new LocalImages({ store, content, snapshots, clock: systemClock, users: containerUsers(store) });
  images.onEvent((event) => events.emitImage(event));
  const networks = new HostNetworks({
    store,
    bridge: options.bridge,
    log,
    clock: systemClock,
    newId,
    ...(options.subnet === undefined ? {} : { subnet: options.subnet }),
  });
  const runtime = new ConmonRuntime({
    run: options.run,
    logger: log,
    runtimes: new Map([...options.runtimes].map(([name, path]) => [name, { path, args: [] }])),
  });
  const context: EngineContext = {
    store,
    images,
    snapshots,
    networks,
    runtime,
    events,
    waiters: new Waiters(),
    locks: new KeyedMutex(),
    clock: systemClock,
    log,
    host: readHostFacts(),
    config: {
      paths: { containers: folders.containers, bundles: folders.bundles },
      defaultRuntime: options.defaultRuntime,
      initPath: INIT_PATHS.find((path) => existsSync(path)),
      logMaxSize: LOG_MAX_SIZE,
      logMaxFiles: LOG_MAX_FILES,
      cgroupParent: "/havre",
    },
  };
  const hub = new StreamHub();
  const removedLogs = new RemovedLogs(store, systemClock, {
    containers: folders.containers,
    folder: folders.removedLogs,
  });
  const containers = new ContainerLifecycle(context, hub, removedLogs);
  runtime.onExit((exit) => containers.exited(exit));
  runtime.onOom((id) => void containers.outOfMemory(id));
  await recoverContainers(context, containers);
  const execs = new ContainerExecs(context);
  const server = createApiServer({
    containers,
    execs,
    streams: new ContainerStreams(context, hub),
    removedLogs,
    archives: new ContainerArchives(context),
    observation: new ContainerObservation(context),
    commits: new ContainerCommits(context),
    comparisons: new ContainerComparisons(context, images),
    placement: new Placements(context, execs),
    host: {
      product: productInfo(),
      info: () => hostInfo({ root: options.root, facts: context.host, runtime, ...context.config }),
    },
    events,
    images,
    imageHistory: images,
    imageAccounts: images,
    networks,
    log,
  });
  const socket = join(options.run, "havre.sock");
  const { socketGroup } = options;
  await server.listen(socket, { mode: 0o660, ...(socketGroup === undefined ? {} : { group: groupId(socketGroup) }) });
  log.info("ready", { socket });
  // What a killed daemon left half-made of images. Nobody waits for it.
  images.collect().catch((error) => log.error("images were not collected", { error }));
  await untilAskedToEnd();
  await server.close();
  await containers.close();
  await networks.close();
  runtime[Symbol.dispose]();
  store.close();
}
