import { mkdir, rm } from "node:fs/promises";
import { HavreError, isHavreError, newId, Undoes } from "../../base/mod.ts";
import type { Image } from "../../images/mod.ts";
import { type ImageNeeds, imageTmpfs, TMPFS_LABEL } from "../../policy/mod.ts";
import type { ContainerCreateRequest, ExecutionConfig } from "../../spec/mod.ts";
import type { HeldVolumes } from "../../volumes/mod.ts";
import { anonymousVolumes, type Container, containerKind, type MountPoint } from "../container.ts";
import { containerFolder, type EngineContext } from "../context.ts";
import {
  mergeImageConfig,
  requireCommand,
  resolveMounts,
  underProfile,
  validateCreate,
  volumeWishes,
} from "../create/mod.ts";
import type { CreateOptions } from "../engine.ts";
import { getContainer } from "../lookup.ts";
import { generateName } from "../names.ts";
import { normaliseEndpoints, normaliseMode, refuseUnfitEndpoints } from "../networking/mod.ts";
import { joinedContainer } from "../spec/mod.ts";
import { resolveLinks } from "./links.ts";
import { idsRequest, ownersWarnings } from "./owners.ts";
import { fillVolumes } from "./volumes.ts";

const NO_VOLUMES: HeldVolumes = { found: new Map(), admit: () => {}, [Symbol.dispose]: () => {} };
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Makes a container from an image: checks, merges, names, and gives it its writable layer. Nothing is left when it fails. */
export async function createContainer(
  context: EngineContext,
  request: ContainerCreateRequest,
  options: CreateOptions,
): Promise<{ readonly container: Container; readonly warnings: readonly string[] }> {
  const policed = underProfile(
    request,
    () => needsOf(context.images.find(request.config.Image)?.config.config),
    context.config.policy,
    context.host.onlineCpus,
  );
  const { request: valid, warnings } = validateCreate(policed.request, {
    host: context.host,
    runtimes: context.runtime.runtimes(),
    defaultRuntime: context.config.defaultRuntime,
    users: context.identities.usual,
  });
  const checked = withContainerIds(context, valid);
  const links = resolveLinks(context, checked.hostConfig);
  const image = imageOf(context, checked.config.Image, options.platform);
  const config = mergeImageConfig(checked.config, image.config.config);
  requireCommand(config);
  const id = newId();
  const wanted = resolveMounts(checked.hostConfig, config, {
    mountsOf: (ref) => getContainer(context.store, ref).spec.mounts,
    newName: newId,
  });
  const wishes = volumeWishes(checked.hostConfig, wanted);
  using volumes = wishes.length === 0 ? NO_VOLUMES : await context.volumes.ensure(wishes, id);
  const mounts = wanted.map((point) => ({ ...point, ...placeOf(point, volumes) }));
  const draft: Omit<Container, "name"> = {
    id,
    created: context.clock.now(),
    spec: {
      config: config.Hostname === "" ? { ...config, Hostname: defaultHostname(context, checked, id) } : config,
      hostConfig: {
        ...checked.hostConfig,
        Links: null,
        NetworkMode: normaliseMode(context, checked.hostConfig.NetworkMode),
      },
      endpoints: normaliseEndpoints(context, checked),
      imageId: image.id,
      chainId: image.chain.at(-1),
      mounts,
      ...(links.length > 0 ? { links } : {}),
      platform: image.config.os,
      ...(policed.policy === undefined ? {} : { policy: policed.policy }),
    },
    status: {
      state: "created",
      exitCode: 0,
      error: "",
      oomKilled: false,
      restartCount: 0,
      stoppedByUser: false,
      endpoints: [],
    },
  };
  refuseUnfitEndpoints(context, { ...draft, name: options.name ?? "" });
  // Its name is known from the first step on: whoever starts or removes it waits for the last.
  const made = context.locks.run(id, () =>
    Undoes.run(async (undoes) => {
      const named = await claim(context, draft, options.name, volumes);
      volumes[Symbol.dispose]();
      undoes.add(() => forget(context, named));
      const folder = containerFolder(context, id);
      undoes.add(() => rm(folder, { recursive: true, force: true }));
      await mkdir(folder, { recursive: true, mode: 0o700 });
      undoes.add(() => context.snapshots.remove(id));
      await context.snapshots.prepare(id, draft.spec.chainId);
      await fillVolumes(context, named);
      return named;
    }),
  );
  const container = await made;
  context.store.sync().catch((error) => context.log.error("a new container is not on disk yet", { id, error }));
  context.events.emitContainer(container, "create");
  return { container, warnings: [...policed.warnings, ...warnings, ...ownersWarnings(context, container)] };
}

function needsOf({ Volumes, Labels }: ExecutionConfig = {}): ImageNeeds {
  return { volumes: Object.keys(Volumes ?? {}), tmpfs: imageTmpfs(Labels?.[TMPFS_LABEL]) };
}

/** What is known of a mount's volume now that there is one. */
function placeOf({ type, name, writable }: MountPoint, { found }: HeldVolumes): Partial<MountPoint> {
  const volume = type === "volume" && name !== undefined ? found.get(name) : undefined;
  return volume ? { source: volume.path, driver: volume.driver, writable: writable && !volume.frozen } : {};
}

/** Takes a container that came to nothing off the record, and the volumes that were made for it. */
async function forget(context: EngineContext, { id, spec }: Container): Promise<void> {
  await context.store.update((tx) => {
    tx.delete(containerKind, id);
    context.identities.free(tx, id);
    context.volumes.markRemoved(tx, anonymousVolumes(spec));
  });
  await context.volumes.finishRemovals();
}

/**
 * `container:NAME` modes by id: they must hold when the other container is renamed. Whose network is joined is looked
 * up when the container starts (Docker's): it may not exist yet.
 */
function withContainerIds(context: EngineContext, request: ContainerCreateRequest): ContainerCreateRequest {
  const byId = (mode: string, mustExist: boolean) => {
    const ref = joinedContainer(mode);
    if (ref === undefined || ref === "") return mode;
    try {
      return `container:${getContainer(context.store, ref).id}`;
    } catch (error) {
      if (!isHavreError(error, "not-found")) throw error;
      if (mustExist) throw new HavreError("invalid-argument", error.message, { cause: error });
      return mode;
    }
  };
  const { NetworkMode, IpcMode, PidMode } = request.hostConfig;
  const modes = { NetworkMode: byId(NetworkMode, false), IpcMode: byId(IpcMode, true), PidMode: byId(PidMode, true) };
  return { ...request, hostConfig: { ...request.hostConfig, ...modes } };
}

function imageOf(context: EngineContext, name: string, platform: string | undefined): Image {
  if (name === "") {
    throw new HavreError("invalid-argument", "no command specified", { hint: "Name the image to run" });
  }
  return context.images.resolve(name, platform);
}

/** Docker's: the short id, unless the host's or another container's name shows. */
function defaultHostname(context: EngineContext, { hostConfig }: ContainerCreateRequest, id: string): string {
  if (hostConfig.NetworkMode === "host" || hostConfig.UTSMode === "host") return context.host.hostname;
  const joined = joinedContainer(hostConfig.NetworkMode);
  if (joined !== undefined) {
    const donor = context.store.view((tx) => tx.get(containerKind, joined));
    if (donor) return donor.spec.config.Hostname;
  }
  return id.slice(0, 12);
}

/** Stores the container under the wanted name, or under the first free generated one. */
async function claim(
  context: EngineContext,
  draft: Omit<Container, "name">,
  wanted: string | undefined,
  volumes: HeldVolumes,
): Promise<Container> {
  for (let attempt = 0; ; attempt++) {
    const name = wanted === undefined || wanted === "" ? generateName(Math.random, attempt) : checkName(wanted);
    const container: Container = { ...draft, name };
    try {
      // Made durable while the answer goes out; a start waits for that before anything of the container runs.
      await context.store.update(
        (tx) => {
          tx.put(containerKind, container);
          context.identities.allocate(tx, container.id, idsRequest(container));
          volumes.admit(tx);
        },
        { durable: false },
      );
      return container;
    } catch (error) {
      if (!isHavreError(error, "already-exists")) throw error;
      if (wanted !== undefined && wanted !== "") throw nameInUse(context, name);
    }
  }
}

/** A name as given, checked; without its slash. `invalid-argument` with Docker's text. */
export function checkName(given: string): string {
  const name = given.replace(/^\//, "");
  if (NAME.test(name)) return name;
  throw new HavreError(
    "invalid-argument",
    `Invalid container name (${given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

export function nameInUse(context: EngineContext, name: string): HavreError {
  const holder = context.store.view((tx) => tx.find(containerKind, "name", name)[0]);
  return new HavreError(
    "conflict",
    `Conflict. The container name "/${name}" is already in use by container "${holder?.id ?? ""}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}
