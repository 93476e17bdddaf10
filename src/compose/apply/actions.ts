import { HavreError, isHavreError } from "../../base/mod.ts";
import type { Project } from "../load/model.ts";
import {
  anonymousVolumes,
  type ContainerState,
  isOneOff,
  numberOf,
  type Observed,
  serviceOf,
} from "../plan/observed.ts";
import { resolveReferences } from "../plan/references.ts";
import type { CreateContainer, HandOver, Step, WaitFor } from "../plan/step.ts";
import { containerRequest } from "../request/container.ts";
import { LABEL, type Labels, projectLabels } from "../request/labels.ts";
import { imageOf } from "../request/names.ts";
import type { Network, Volume } from "../schema/project.ts";
import type { Engine, ImageMaker, OnDetail } from "./engine.ts";
import { stageFiles } from "./files.ts";
import { runHooks } from "./hooks.ts";
import { waitFor } from "./wait.ts";

/** How long connections to a container that was replaced may go on, unless its service says (`stop_grace_period`). */
const DRAIN_SECONDS = 10;

export interface ActionOptions {
  /** Undefined where only containers are known (a project without its files). */
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly engine: Engine;
  readonly images: ImageMaker;
  readonly signal: AbortSignal;
  /** Seconds a container has to end; undefined: its own. */
  readonly timeout: number | undefined;
  /** Where configs and secrets are written; undefined for a daemon elsewhere. */
  readonly filesFolder: string | undefined;
  readonly warn: (message: string) => void;
}

/** Does the steps of a plan with an engine. Knows the containers made on the way. */
export class Actions {
  /** Ids by `service/number`. */
  readonly #ids = new Map<string, string>();
  /** Those that a step has stopped: what was observed of them is not so any more. */
  readonly #stopped = new Set<string>();

  constructor(readonly options: ActionOptions) {
    // Of two with the same number the one that takes the other's place counts.
    const isSuccessor = ({ labels }: ContainerState) => Number(labels[LABEL.portsFrom] !== undefined);
    for (const container of options.observed.containers.toSorted((a, b) => isSuccessor(a) - isSuccessor(b)))
      if (!isOneOff(container)) this.#ids.set(`${serviceOf(container)}/${numberOf(container)}`, container.id);
  }

  /** The containers of a service, as far as they are known. */
  idsOf(service: string): string[] {
    return [...this.#ids]
      .filter(([key]) => key.slice(0, key.lastIndexOf("/")) === service)
      .sort(([a], [b]) => Number(a.slice(a.lastIndexOf("/") + 1)) - Number(b.slice(b.lastIndexOf("/") + 1)))
      .map(([, id]) => id);
  }

  async run(step: Step, onDetail: OnDetail): Promise<string | undefined> {
    const { engine, images } = this.options;
    switch (step.kind) {
      case "pull-image":
        return void (await images.pull(step.image, this.#service(step.service).platform ?? "", onDetail));
      case "build-image":
        return void (await images.build(
          step.service,
          step.image,
          this.#service(step.service),
          onDetail,
          this.options.signal,
        ));
      case "create-network":
        return void (await engine.createNetwork(step.name, this.#networkBody(step.key)));
      case "create-volume":
        return void (await engine.createVolume(step.name, this.#volumeBody(step.key)));
      case "create-container":
        return void (await this.#create(step));
      case "start-container":
        return void (await this.#start(step.service, step.number));
      case "stop-container":
        return void (await this.#stop(step.container));
      case "remove-container":
        return void (await this.#remove(step.container, step.volumes));
      case "rename-container":
        return void (await engine.renameContainer(step.container.id, step.name));
      case "change-container": {
        const { timeout } = this.options;
        return void (await engine.changeContainer(step.container.id, step.change, { timeout, signal: step.signal }));
      }
      case "hand-over":
        return void (await this.#handOver(step));
      case "wait":
        return this.#wait(step, onDetail);
      case "remove-network":
        return unlessUsed(() => engine.removeNetwork(step.id));
      case "remove-volume":
        return unlessUsed(() => engine.removeVolume(step.name));
      case "remove-image":
        return unlessUsed(() => engine.removeImage(step.name));
    }
  }

  #project(): Project {
    const { project } = this.options;
    if (!project) throw new HavreError("internal", "A step needs the project's files");
    return project;
  }

  #service(name: string) {
    const { services, inactive } = this.#project();
    // A build may stand on the image of a service that is not asked for.
    const service = services[name] ?? inactive[name];
    if (!service) throw new HavreError("not-found", `no such service: ${name}`);
    return service;
  }

  #networkBody(key: string) {
    const project = this.#project();
    const network: Network = project.networks[key] ?? {};
    return {
      Driver: network.driver ?? "",
      Options: network.driver_opts ?? {},
      Internal: network.internal ?? false,
      Attachable: network.attachable ?? false,
      ...(network.enable_ipv6 === undefined ? {} : { EnableIPv6: network.enable_ipv6 }),
      ...(network.enable_ipv4 === undefined ? {} : { EnableIPv4: network.enable_ipv4 }),
      ...(network.ipam ? { IPAM: ipamBody(network.ipam) } : {}),
      Labels: { ...network.labels, ...projectLabels(project), [LABEL.network]: key },
    };
  }

  #volumeBody(key: string) {
    const project = this.#project();
    const volume: Volume = project.volumes[key] ?? {};
    return {
      Driver: volume.driver ?? "",
      DriverOpts: volume.driver_opts ?? {},
      Labels: { ...volume.labels, ...projectLabels(project), [LABEL.volume]: key },
    };
  }

  async #create(step: CreateContainer): Promise<void> {
    const { engine, observed, filesFolder } = this.options;
    const project = this.#project();
    const service = resolveReferences(this.#service(step.service), (other) => this.idsOf(other)[0]);
    if (!service)
      throw new HavreError("failed-precondition", `${step.service} uses containers of a service that has none`);
    const image = imageOf(project, step.service, service);
    const imageId = observed.images.get(image) ?? (await engine.imageId(image));
    if (imageId === undefined)
      throw new HavreError("not-found", `No such image: ${image}`, { hint: `Fetch it: havre pull ${image}` });
    const files = stageFiles(project, step.service, service, filesFolder);
    const old = step.replaces;
    const body = containerRequest({
      project,
      name: step.service,
      service,
      number: step.number,
      imageId,
      inherited: old && !step.renewsVolumes ? anonymousVolumes(old) : [],
      fileBinds: files.binds,
      links: this.#links(service.links ?? []),
      ...(old ? { extraLabels: replacementLabels(old, step.startsFirst ?? false) } : {}),
    });
    const name = old ? `${old.id.slice(0, 12)}_${step.name}` : step.name;
    const id = await engine.createContainer(name, body, service.platform ?? "");
    for (const file of files.puts) await engine.putFile(id, file);
    if (old && !step.startsFirst) {
      // The new one is made before the old one ends: when it cannot be made, the old one is still there.
      await this.#stop(old);
      await engine.removeContainer(old.id, false);
      await engine.renameContainer(id, step.name);
    }
    this.#ids.set(`${step.service}/${step.number}`, id);
  }

  /** `NAME[:ALIAS]` of services as links to their containers. */
  #links(links: readonly string[]): string[] {
    return links.flatMap((link) => {
      const [name = "", alias = name] = link.split(":");
      return this.idsOf(name).map((id) => `${id}:${alias}`);
    });
  }

  async #start(name: string, number: number): Promise<void> {
    const id = this.#ids.get(`${name}/${number}`);
    if (id === undefined) throw new HavreError("not-found", `no container ${number} of service ${name}`);
    await this.options.engine.startContainer(id);
    this.#stopped.delete(id);
    await runHooks(this.options.engine, id, "post_start", this.options.project?.services[name]?.post_start ?? []);
  }

  async #stop(container: ContainerState): Promise<void> {
    const { engine, timeout, project, warn } = this.options;
    const hooks = project?.services[serviceOf(container)]?.pre_stop ?? [];
    if (hooks.length > 0 && container.state === "running") {
      // A hook that fails must not keep the container from being stopped.
      await runHooks(engine, container.id, "pre_stop", hooks).catch((error: Error) => warn(error.message));
    }
    await gone(() => engine.stopContainer(container.id, timeout));
    this.#stopped.add(container.id);
  }

  async #remove(container: ContainerState, volumes: boolean): Promise<void> {
    if (container.state === "running" && !this.#stopped.has(container.id)) await this.#stop(container);
    await gone(() => this.options.engine.removeContainer(container.id, volumes));
    this.#ids.delete(`${serviceOf(container)}/${numberOf(container)}`);
  }

  async #handOver({ service, number, name, from }: HandOver): Promise<void> {
    const { engine, project } = this.options;
    const id = this.#ids.get(`${service}/${number}`) ?? "";
    const grace = project?.services[service]?.stop_grace_period;
    await engine.takePorts(id, from.id, grace === undefined ? DRAIN_SECONDS : Math.ceil(grace / 1e9));
    await this.#stop(from);
    await gone(() => engine.removeContainer(from.id, false));
    await engine.renameContainer(id, name);
  }

  /** Goes, so that what it was to replace is what there is. */
  async #giveUp(service: string, number: number, old: ContainerState, error: HavreError): Promise<never> {
    const key = `${service}/${number}`;
    const id = this.#ids.get(key);
    this.#ids.set(key, old.id);
    if (id !== undefined) await gone(() => this.options.engine.removeContainer(id, false));
    throw new HavreError(error.kind, `${old.name} is not replaced: ${error.message}`, {
      cause: error,
      hint: "Nothing was changed: the old container goes on",
    });
  }

  async #wait(
    { service, condition, numbers, by, required, successorOf }: WaitFor,
    onDetail: OnDetail,
  ): Promise<string | undefined> {
    const { engine, signal, warn } = this.options;
    onDetail(by === "--wait" ? "" : `for ${by}`);
    const ids = numbers.flatMap((number) => this.#ids.get(`${service}/${number}`) ?? []);
    try {
      await waitFor({ engine, ids, condition, signal, onDetail });
      return undefined;
    } catch (error) {
      if (!isHavreError(error) || signal.aborted) throw error;
      if (successorOf) return this.#giveUp(service, numbers[0] ?? 0, successorOf, error);
      if (!required) {
        warn(`optional dependency "${service}" failed to start: ${error.message}`);
        return "optional, gone on without";
      }
      if (by === "--wait") throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new HavreError(error.kind, `dependency failed to start: ${error.message}`, { cause: error, ...hint });
    }
  }
}

function replacementLabels(old: ContainerState, startsFirst: boolean): Labels {
  return { [LABEL.replace]: old.id.slice(0, 12), ...(startsFirst ? { [LABEL.portsFrom]: old.id } : {}) };
}

function ipamBody({ driver, config = [], options }: NonNullable<Network["ipam"]>) {
  return {
    Driver: driver ?? "default",
    Options: options ?? {},
    Config: config.map(({ subnet, gateway, ip_range, aux_addresses }) => ({
      ...(subnet === undefined ? {} : { Subnet: subnet }),
      ...(gateway === undefined ? {} : { Gateway: gateway }),
      ...(ip_range === undefined ? {} : { IPRange: ip_range }),
      ...(aux_addresses === undefined ? {} : { AuxiliaryAddresses: aux_addresses }),
    })),
  };
}

/** Someone else may have been faster. */
async function gone(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isHavreError(error, "not-found")) throw error;
  }
}

/** What others still use stays, and that is said. */
async function unlessUsed(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isHavreError(error, "conflict") || isHavreError(error, "permission-denied")) return "Resource is still in use";
    if (isHavreError(error, "not-found")) return "No resource found to remove";
    throw error;
  }
}
