import { resolve } from "node:path";
import { HavreError, isHavreError, Undoes } from "../../base/mod.ts";
import type { Images } from "../../images/mod.ts";
import type { NetworkRequest } from "../../networks/mod.ts";
import { writeTar } from "../../snapshots/mod.ts";
import type { ContainerCreateRequest, HostConfig } from "../../spec/mod.ts";
import type { VolumeArchives, Volumes } from "../../volumes/mod.ts";
import { type Container, volumesOf } from "../container.ts";
import type { Containers, NetworkManagement } from "../engine.ts";
import { hasProcess } from "../lookup.ts";
import type { ApplicationPlan, PlannedContainer } from "./plan.ts";
import { ApplicationReader, applicationMembers, type Section } from "./stream.ts";

const PROJECT = "com.docker.compose.project";
const IMAGES = "images";
const PREDEFINED = ["bridge", "host", "none"];

export interface ImportedApplication {
  readonly project: string;
  /** Names of its containers, in the order in which they were made. */
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly warnings: readonly string[];
}

export interface ApplicationMovesOptions {
  readonly containers: Containers;
  readonly images: Images;
  readonly networks: NetworkManagement;
  readonly volumes: Pick<Volumes, "get" | "remove">;
  readonly archives: VolumeArchives;
}

/** Takes whole applications from one engine to another. */
export class ApplicationMoves {
  readonly #with: ApplicationMovesOptions;

  constructor(options: ApplicationMovesOptions) {
    this.#with = options;
  }

  /** Everything of a project as one archive. `pause`: its containers stand still meanwhile. `not-found` when nothing belongs to it. */
  async *export(
    project: string,
    { pause }: { readonly pause: boolean },
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { containers, images, archives } = this.#with;
    const own = containers
      .list()
      .filter(({ spec }) => spec.config.Labels[PROJECT] === project)
      .toSorted((one, other) => one.created - other.created);
    if (own.length === 0)
      throw new HavreError("not-found", `No containers of project ${project}`, {
        hint: "A project is what carries the label com.docker.compose.project",
      });
    const plan = await this.#plan(project, own);
    const names = own.flatMap(({ spec }) => {
      const { imageId, config } = spec;
      if (imageId === undefined) return [];
      return images.find(config.Image)?.id === imageId ? [config.Image] : [imageId];
    });
    const volumes = plan.volumes.map(
      (name, index): Section => ({
        name: `volumes/${index}`,
        content: async function* () {
          await using archive = await archives.read(name, { pause: false }, signal);
          yield* archives.marked(archive);
        },
      }),
    );
    const sections: Section[] = [{ name: IMAGES, content: () => images.save([...new Set(names)], signal) }, ...volumes];
    const paused = pause ? own.filter(({ status }) => status.state === "running") : [];
    const still = await Undoes.run(async (undoes) => {
      for (const { id } of paused) {
        await containers.pause(id);
        undoes.add(() => containers.unpause(id));
      }
      return paused;
    });
    try {
      yield* writeTar(applicationMembers(plan, sections));
    } finally {
      for (const { id } of still) await containers.unpause(id);
    }
  }

  /**
   * Makes an application from such an archive and starts what ran. `already-exists` names a container, network or volume
   * that is in its way, before anything is done.
   */
  async import(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<ImportedApplication> {
    const { containers, images, networks, volumes, archives } = this.#with;
    await using reader = await ApplicationReader.open(source);
    const { plan } = reader;
    await this.#requireRoom(plan);
    const made = await Undoes.run(async (undoes) => {
      await images.load(reader.section(IMAGES), () => {}, signal);
      for (const [index, name] of plan.volumes.entries()) {
        const archive = await archives.unmarked(reader.section(`volumes/${index}`));
        await archives.write(name, archive, { force: false }, signal);
        undoes.add(() => volumes.remove(name, true));
      }
      await reader.end();
      for (const network of plan.networks) {
        await networks.create(network);
        undoes.add(() => networks.remove(network.name));
      }
      const ids = new Map<string, string>();
      for (const planned of inOrder(plan.containers)) {
        const { id } = await containers.create(requestFor(planned, ids, images), { name: planned.name });
        undoes.add(() => containers.remove(id, { force: true }));
        ids.set(planned.id, id);
      }
      return ids;
    });
    const warnings = [...plan.left];
    for (const { id, name, running } of inOrder(plan.containers)) {
      if (!running) continue;
      try {
        await containers.start(made.get(id) ?? "");
      } catch (error) {
        if (!isHavreError(error)) throw error;
        warnings.push(`Container ${name} was made but not started: ${error.message}`);
      }
    }
    return {
      project: plan.project,
      containers: plan.containers.map(({ name }) => name),
      volumes: plan.volumes,
      networks: plan.networks.map(({ name }) => name),
      warnings,
    };
  }

  async #plan(project: string, own: readonly Container[]): Promise<ApplicationPlan> {
    const { networks, volumes } = this.#with;
    const names = [...new Set(own.flatMap(volumesOf))];
    const found = await Promise.all(names.map((name) => volumes.get(name)));
    const isHere = ({ driver, options }: (typeof found)[number]) =>
      driver === "local" && Object.keys(options ?? {}).length === 0;
    const asked = new Set(own.flatMap(({ spec }) => Object.keys(spec.endpoints)));
    const binds = own.flatMap(({ name, spec }) =>
      spec.mounts
        .filter(({ type }) => type === "bind")
        .map(({ source }) => `Container ${name} mounts ${source} of its host, which does not come along`),
    );
    return {
      format: 1,
      project,
      containers: own.map(planned),
      networks: networks
        .list()
        .filter(({ name, labels }) => !PREDEFINED.includes(name) && (asked.has(name) || labels[PROJECT] === project))
        .map(networkRequest),
      volumes: found.filter(isHere).map(({ name }) => name),
      images: [...new Set(own.flatMap(({ spec }) => spec.imageId ?? []))],
      left: [
        ...binds,
        ...found
          .filter((volume) => !isHere(volume))
          .map(({ name }) => `Volume ${name} is kept elsewhere and does not come along`),
      ],
    };
  }

  /** Nothing of the plan's names may be taken. */
  async #requireRoom({ containers, networks, volumes }: ApplicationPlan): Promise<void> {
    const taken = (what: string, name: string) =>
      new HavreError("already-exists", `${what} ${name} exists already`, { hint: "Remove it, or import elsewhere" });
    const known = new Set(this.#with.containers.list().map(({ name }) => name));
    for (const { name } of containers) if (known.has(name)) throw taken("Container", name);
    const nets = new Set(this.#with.networks.list().map(({ name }) => name));
    for (const { name } of networks) if (nets.has(name)) throw taken("Network", name);
    for (const name of volumes) {
      const there = await this.#with.volumes.get(name).catch((error: unknown) => {
        if (isHavreError(error, "not-found")) return undefined;
        throw error;
      });
      if (there) throw taken("Volume", name);
    }
  }
}

function planned(container: Container): PlannedContainer {
  const { id, name, spec } = container;
  const { config, hostConfig, endpoints, imageId = "", mounts } = spec;
  const named = new Set([
    ...(hostConfig.Binds ?? []).flatMap((bind) => resolve(bind.split(":")[1] ?? "/")),
    ...(hostConfig.Mounts ?? [])
      .filter(({ Source, Type }) => Source || Type === "tmpfs")
      .map(({ Target }) => resolve(Target)),
  ]);
  // Anonymous volumes and those of other containers come along: they are asked for by the names they have.
  const others = mounts.filter(({ type, destination }) => type !== "tmpfs" && !named.has(destination));
  const Mounts = (hostConfig.Mounts ?? []).filter(({ Target }) => named.has(resolve(Target)));
  const Binds = [
    ...(hostConfig.Binds ?? []).filter((bind) => bind.includes(":")),
    ...others.map(
      ({ name, source, destination, writable }) => `${name ?? source}:${destination}${writable ? "" : ":ro"}`,
    ),
  ];
  return {
    id,
    name,
    image: imageId,
    running: hasProcess(container),
    request: { config, hostConfig: { ...hostConfig, Mounts, Binds, VolumesFrom: null }, endpoints },
  };
}

function networkRequest({ name, ...network }: ReturnType<NetworkManagement["list"]>[number]): NetworkRequest {
  const { id: _id, created: _created, pools: _pools, endpoints: _endpoints, ...spec } = network;
  return { name, ...spec };
}

const SHARED = ["NetworkMode", "IpcMode", "PidMode"] as const;
const JOIN = "container:";

/** Who is joined comes before who joins. */
function inOrder(containers: readonly PlannedContainer[]): readonly PlannedContainer[] {
  const done: PlannedContainer[] = [];
  const visit = (container: PlannedContainer, above: readonly PlannedContainer[]): void => {
    if (done.includes(container) || above.includes(container)) return;
    const joined = SHARED.map((mode) => container.request.hostConfig[mode]).filter((mode) => mode.startsWith(JOIN));
    for (const mode of joined) {
      const other = containers.find(({ id }) => id === mode.slice(JOIN.length));
      if (other) visit(other, [...above, container]);
    }
    done.push(container);
  };
  for (const container of containers) visit(container, []);
  return done;
}

function requestFor(
  { id, image, request }: PlannedContainer,
  ids: ReadonlyMap<string, string>,
  images: Images,
): ContainerCreateRequest {
  const { config, hostConfig } = request;
  const joined = (mode: string) =>
    mode.startsWith(JOIN) ? `${JOIN}${ids.get(mode.slice(JOIN.length)) ?? mode.slice(JOIN.length)}` : mode;
  const modes = Object.fromEntries(SHARED.map((mode) => [mode, joined(hostConfig[mode])])) as Pick<
    HostConfig,
    (typeof SHARED)[number]
  >;
  const Image = images.find(config.Image)?.id === image ? config.Image : image;
  // A name that was made up is made up anew; who joins another's network has that one's.
  const unnamed = config.Hostname === id.slice(0, 12) || hostConfig.NetworkMode.startsWith(JOIN);
  const Hostname = unnamed ? "" : config.Hostname;
  return { ...request, config: { ...config, Image, Hostname }, hostConfig: { ...hostConfig, ...modes } };
}
