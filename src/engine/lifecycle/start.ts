import { mkdir, rm } from "node:fs/promises";
import { type HavreError, type Timeline, toHavreError, Undoes } from "../../base/mod.ts";
import { type Owners, openTo } from "../../identities/mod.ts";
import type { PublishedPort, Sandbox } from "../../networks/mod.ts";
import type { Created, LogSpec } from "../../runtime/mod.ts";
import { appArmorProfileOf } from "../apparmor.ts";
import type { Container } from "../container.ts";
import { bundleFolder, containerFolder, type EngineContext, logPath, runtimeName, setStatus } from "../context.ts";
import { logLimits } from "../create/mod.ts";
import { withLayersOf } from "../damaged-image.ts";
import { landlockOf } from "../landlock.ts";
import { hasProcess } from "../lookup.ts";
import { emitNetworks, networkModeOf, networkOf, networksToTell, publishPorts } from "../networking/mod.ts";
import { underObservation } from "../observe/observing.ts";
import { cgroupsPath } from "../spec/build.ts";
import { ownsNetwork } from "../spec/namespaces.ts";
import { prepareRuntimeSpec } from "../spec/prepare.ts";
import { attachableProcess } from "../streams/attach.ts";
import type { StreamHub } from "../streams/hub.ts";
import { stdioOf } from "../streams/stdio.ts";
import { showMapped } from "./owners.ts";
import { failedStartCode } from "./start-failure.ts";
import { mountVolumes } from "./volumes.ts";

/**
 * Brings a container's process up: namespace and address, mounted tree, runtime specification, supervisor, runtime.
 * Everything acquired is given back when a step fails; the container then is `exited` (or still `created`) with the
 * failure in its status. Call with the container's lock held.
 */
export async function startContainer(
  context: EngineContext,
  hub: StreamHub,
  container: Container,
  timeline: Timeline,
): Promise<void> {
  const { id } = container;
  if (hasProcess(container)) return;
  try {
    const { created, started, sandbox, ports } = await Undoes.run((undoes) =>
      launch(context, hub, container, undoes, timeline),
    );
    const running = await setStatus(context, id, (status) => ({
      ...status,
      state: "running",
      init: created.init,
      supervisor: created.supervisor,
      exitCode: 0,
      error: "",
      oomKilled: false,
      startedAt: started,
      stoppedByUser: false,
      endpoints: sandbox.endpoints,
      networkIds: networkIds(context, container),
      ports,
      // The sandbox's own path ends with this daemon; the container's process keeps the namespace.
      ...(sandbox.namespacePath === undefined ? {} : { namespacePath: `/proc/${created.init.pid}/ns/net` }),
    }));
    timeline.mark("record");
    if (running) context.events.emitContainer(running, "start");
  } catch (failure) {
    const error = toHavreError(failure);
    await recordFailedStart(context, hub, container, error);
    throw error;
  }
}

/** The networks there are under the names this container asks for. */
function networkIds(context: EngineContext, { spec }: Container): Readonly<Record<string, string>> {
  const names = Object.keys(spec.endpoints);
  return Object.fromEntries(
    names.flatMap((name) => networkOf(context, name)).flatMap((one) => (one ? [[one.name, one.id]] : [])),
  );
}

async function launch(
  context: EngineContext,
  hub: StreamHub,
  container: Container,
  undoes: Undoes,
  timeline: Timeline,
): Promise<{
  readonly created: Created;
  readonly started: number;
  readonly sandbox: Sandbox;
  readonly ports: readonly PublishedPort[];
}> {
  const { id, spec } = container;
  const bundle = bundleFolder(context, id);
  const runtime = runtimeName(context, container);
  const log = logSpec(context, container);
  // What the container writes must not be found without the container after a power cut.
  const durable = context.store.sync();
  durable.catch(() => {});
  await mkdir(bundle, { recursive: true, mode: 0o700 });
  undoes.add(() => rm(bundle, { recursive: true, force: true }));

  // All mounts first: the supervisor may have a copy of the mount namespace.
  using owners = await context.identities.open(id, ownsNetwork(spec.hostConfig));
  if (owners) openTo(bundle, owners.user);
  const rootfs = await withLayersOf(spec.config.Image, context.snapshots.mount(id, owners?.user));
  undoes.add(() => context.trees.release(id));
  const mounted = await mountVolumes(context, container, undoes);
  undoes.add(() => context.mapped.hide(id));
  const { mounts, files } = showMapped(context, container, mounted, owners?.user);
  timeline.mark("mount");

  // The rest is brought about while the supervisor starts.
  const connected = connect(context, container, owners, undoes, timeline);
  const specify = async () => {
    const { sandbox } = await connected;
    const folder = containerFolder(context, id);
    const seen = { ...container, spec: { ...spec, mounts } };
    const whole = await prepareRuntimeSpec(context, seen, { rootfs, sandbox, folder, files, user: owners?.user });
    timeline.mark("spec");
    return underObservation(context, container, whole, undoes);
  };
  const whole = specify();
  whole.catch(() => {});
  context.runtime.forgetExit(id);
  const { rules: landlock } = landlockOf(context, container);
  const apparmor = appArmorProfileOf(spec, context.host);
  const creating = context.runtime.create({
    id,
    runtime,
    ...(runtime === "crun" && runtime === context.config.defaultRuntime ? { fallback: "runc" } : {}),
    bundle,
    spec: { rootfs, cgroupsPath: cgroupsPath(spec.hostConfig, context.config.cgroupParent, id), whole },
    stdio: stdioOf(spec.config),
    log,
    ...(landlock === undefined ? {} : { landlock }),
    ...(apparmor === undefined ? {} : { apparmor }),
    ...(spec.hostConfig.IpcMode === "shareable"
      ? { sharedMemory: { size: spec.hostConfig.ShmSize, ...(owners ? { owner: owners.user.root } : {}) } }
      : {}),
  });
  // What is being connected can be undone only then.
  const created = await creating.finally(() => connected.catch(() => {}));
  undoes.add(() => context.runtime.delete(id, runtime, bundle, true));
  const { sandbox, ports } = await connected;
  context.volumes.hideParts(id);
  context.mapped.hide(id);
  timeline.mark("create");
  await hub.connectPending(id, attachableProcess(context, container));
  await durable;
  timeline.mark("attach");
  const started = context.clock.now();
  await sandbox.recorded;
  await context.runtime.start(id, runtime);
  timeline.mark("start");
  return { created, started, sandbox, ports };
}

/** Gives the container its place in its networks and publishes its ports. */
async function connect(
  context: EngineContext,
  container: Container,
  owners: Owners | undefined,
  undoes: Undoes,
  timeline: Timeline,
): Promise<{ readonly sandbox: Sandbox; readonly ports: readonly PublishedPort[] }> {
  const { id } = container;
  const sandbox = await context.networks.attach(id, networkModeOf(context, container), owners?.network);
  const joined = networksToTell(context, container);
  undoes.add(() => emitNetworks(context, joined, "disconnect", id));
  undoes.add(() => context.networks.release(id));
  emitNetworks(context, joined, "connect", id);
  undoes.add(() => context.ports.release(id));
  const ports = await publishPorts(context, container, sandbox.endpoints);
  timeline.mark("network");
  return { sandbox, ports };
}

function logSpec(context: EngineContext, container: Container): LogSpec {
  const { LogConfig } = container.spec.hostConfig;
  const { maxSize = context.config.logMaxSize, maxFiles = context.config.logMaxFiles } = logLimits(LogConfig);
  return LogConfig.Type === "none" ? { maxSize } : { path: logPath(context, container.id), maxSize, maxFiles };
}

/** Docker's: the state stays what it was (one that was restarting has stopped), and nobody who waits for an end hears of a beginning that was none. */
async function recordFailedStart(
  context: EngineContext,
  hub: StreamHub,
  container: Container,
  error: HavreError,
): Promise<void> {
  await setStatus(context, container.id, (status) => ({
    ...status,
    state: status.state === "restarting" ? "exited" : status.state,
    exitCode: failedStartCode(error),
    error: error.message,
    endpoints: [],
    ports: [],
  }));
  hub.endSessions(container.id);
}
