import { existsSync } from "node:fs";
import { join } from "node:path";
import { KeyedMutex, type Logger, newId, systemClock } from "../base/mod.ts";
import { neededByBuildCache } from "../builder/mod.ts";
import { FileContentStore } from "../content/mod.ts";
import {
  ContainerLifecycle,
  containerKind,
  containerUsers,
  type EngineContext,
  EventLog,
  MountedTrees,
  RemovedLogs,
  readHostFacts,
  resolverOverrides,
  StreamHub,
  VolumePauses,
  volumeUsers,
  Waiters,
} from "../engine/mod.ts";
import { Identities, MappedSources } from "../identities/mod.ts";
import { LocalImages } from "../images/mod.ts";
import { HostNetworks, NameServers, PublishedPorts, portBridges } from "../networks/mod.ts";
import { ConmonRuntime } from "../runtime/mod.ts";
import { OverlaySnapshotter, Trees } from "../snapshots/mod.ts";
import { SqliteStore } from "../store/mod.ts";
import {
  DOCKER_PLUGIN_FOLDERS,
  HostVolumes,
  type PluginFolders,
  VolumeBackups,
  VolumeSchedules,
} from "../volumes/mod.ts";
import { assembleBuilder, type BuilderAssembly } from "./assemble-builder.ts";
import { makeFolders } from "./folders.ts";
import { identityOptions } from "./identity-options.ts";
import { networkOptions } from "./network-options.ts";
import type { DaemonOptions } from "./options.ts";
import { registrySettings } from "./registries.ts";

/** Bytes of a generation of a container's log, and how many are kept, unless the container says otherwise. */
const LOG_MAX_SIZE = 16 * 1024 * 1024;
const LOG_MAX_FILES = 5;
const INIT_PATHS = ["/usr/bin/catatonit", "/usr/libexec/podman/catatonit", "/usr/bin/tini", "/usr/bin/docker-init"];

/** What this program is called with to be a container's observer (`src/main.ts`). */
export const OBSERVER_COMMAND = "__observe";

/** One host's engine, put together and not yet recovered. */
export interface Assembly {
  readonly context: EngineContext;
  readonly containers: ContainerLifecycle;
  readonly images: LocalImages;
  readonly networks: HostNetworks;
  readonly volumes: HostVolumes;
  readonly backups: VolumeBackups;
  readonly schedules: VolumeSchedules;
  readonly runtime: ConmonRuntime;
  readonly events: EventLog;
  readonly hub: StreamHub;
  readonly removedLogs: RemovedLogs;
  readonly building: BuilderAssembly;
  /** Ends the engine's work; containers go on. */
  close(): Promise<void>;
}

/** Constructs and wires the engine of the given folders. Nothing happens to containers before `recoverContainers`. */
export async function assemble(options: DaemonOptions, log: Logger): Promise<Assembly> {
  const folders = makeFolders(options);
  const store = new SqliteStore(join(options.root, "state.db"));
  const content = new FileContentStore(options.root);
  content.recover();
  const snapshots = new OverlaySnapshotter(options.root, log);
  await snapshots.recover();
  const events = new EventLog(systemClock);
  const images = new LocalImages({
    store,
    content,
    snapshots,
    clock: systemClock,
    users: containerUsers(store),
    registries: registrySettings(options),
    retention: options.imageRetention ?? 0,
    otherNeeds: neededByBuildCache,
  });
  images.onEvent((event) => events.emitImage(event));
  const networks = new HostNetworks({
    store,
    bridge: options.bridge,
    log,
    clock: systemClock,
    newId,
    ...networkOptions(options),
  });
  const names = new NameServers({
    clock: systemClock,
    log,
    hostResolver: () => networks.hostResolver(false),
    wishesOf: (id) => {
      const container = store.view((tx) => tx.get(containerKind, id));
      return container === undefined ? {} : resolverOverrides(container.spec.hostConfig);
    },
    isInternal: (id) => networks.get(id).internal,
    egress: networks.outbound,
  });
  networks.watchSandboxes(names);
  const bridges = () => portBridges(networks.list());
  const ports = new PublishedPorts({ store, log, owner: options.bridge, bridges });
  networks.watchSandboxes({
    attached: () => ports.bridgesChanged(),
    detached: () => {},
    networkRemoved: () => ports.bridgesChanged(),
  });
  const volumes = new HostVolumes({
    store,
    folder: folders.volumes,
    parts: folders.parts,
    plugins: pluginFolders(options),
    trees: new Trees(folders.volumeTrash, log),
    users: volumeUsers,
    pauser: new VolumePauses(() => context),
    clock: systemClock,
    newId,
    log,
  });
  volumes.onEvent((event) => events.emitVolume(event));
  const backups = new VolumeBackups(volumes.archives);
  const schedules = new VolumeSchedules({ store, backups, clock: systemClock, log });
  const runtime = new ConmonRuntime({
    run: options.run,
    logger: log,
    runtimes: new Map([...options.runtimes].map(([name, path]) => [name, { path, args: [] }])),
  });
  const identities = new Identities(identityOptions(options, store));
  const context: EngineContext = {
    store,
    images,
    snapshots,
    identities,
    mapped: new MappedSources(folders.mapped),
    trees: new MountedTrees(snapshots, identities),
    networks,
    ports,
    volumes: volumes.mounted,
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
      openPorts: options.openPorts,
      policy: {
        usual: options.profile ?? "docker",
        floor: options.profile ?? "open",
        forbidden: options.forbiddenGrants,
      },
      observer: [process.execPath, OBSERVER_COMMAND],
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
  runtime.onOom((id) => containers.outOfMemory(id));
  const close = async () => {
    await schedules.close();
    await containers.close();
    await ports.close();
    await networks.close();
    runtime[Symbol.dispose]();
    snapshots.hide();
    store.close();
  };
  const building = assembleBuilder(context, images, content, options, log);
  return {
    building,
    context,
    containers,
    images,
    networks,
    volumes,
    backups,
    schedules,
    runtime,
    events,
    hub,
    removedLogs,
    close,
  };
}

function pluginFolders({ pluginFolder: folder }: DaemonOptions): PluginFolders {
  return folder === undefined ? DOCKER_PLUGIN_FOLDERS : { sockets: folder, specs: [folder] };
}
