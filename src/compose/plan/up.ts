import type { Project } from "../load/model.ts";
import { configHash, withoutUnused } from "../render/project.ts";
import { LABEL, policyLabels, sameProfile } from "../request/labels.ts";
import { containerName, imageOf, scaleOf } from "../request/names.ts";
import type { Service } from "../schema/service.ts";
import { type ContainerState, isOneOff, isRunning, numberOf, type Observed, serviceOf } from "./observed.ts";
import { referencedServices, resolveReferences } from "./references.ts";
import { formerOf, startsFirst } from "./start-first.ts";
import type { Condition, Plan, PlannedStep, Step } from "./step.ts";

export interface UpOptions {
  /** Services that were named; none: all. */
  readonly named: readonly string[];
  /** Services whose networks and volumes are made, and whose containers are left as they are. */
  readonly without?: readonly string[];
  readonly recreate: "diverged" | "force" | "never";
  /** The same for services that others depend on. */
  readonly recreateDependencies: "diverged" | "force" | "never";
  readonly renewsVolumes: boolean;
  readonly removesOrphans: boolean;
  readonly starts: boolean;
  /** `--wait`: in the end everything runs, and is healthy where health is checked. */
  readonly waits: boolean;
}

/**
 * What makes of what is there what the files ask for. Pure. Containers whose configuration's hash and image are as
 * asked stay; others are replaced; there are as many as asked; what others depend on comes first.
 */
export function planUp(project: Project, observed: Observed, options: UpOptions): Plan {
  return new UpPlanner(project, observed, options).plan();
}

/** Containers of services that the files no longer have. */
export function orphans(project: Project, { containers }: Observed): ContainerState[] {
  return containers.filter((container) => {
    const service = serviceOf(container);
    return !isOneOff(container) && !(service in project.services) && !(service in project.inactive);
  });
}

/** A service's containers, as they will be. */
interface Replica {
  readonly number: number;
  readonly name: string;
  readonly kept: ContainerState | undefined;
}

class UpPlanner {
  readonly #steps: PlannedStep[] = [];
  readonly #replicas = new Map<string, readonly Replica[]>();
  readonly #replaced = new Set<string>();
  /** The containers whose place others take without a gap, by `service/number`. */
  readonly #successions = new Map<string, ContainerState>();

  constructor(
    readonly project: Project,
    readonly observed: Observed,
    readonly options: UpOptions,
  ) {}

  plan(): Plan {
    const resources = this.#resources();
    if (this.options.removesOrphans)
      for (const container of orphans(this.project, this.observed)) this.#remove(container, "orphan");
    const order = inDependencyOrder(this.project);
    for (const name of order) this.#service(name, resources);
    if (this.options.starts) {
      this.#restartDependents();
      for (const name of order) this.#starts(name);
      if (this.options.waits) for (const name of order) this.#waitFor(name, this.#finalCondition(name), "--wait", true);
    }
    return this.#steps;
  }

  #add(id: string, step: Step, after: readonly string[]): string {
    const known = new Set(this.#steps.map((planned) => planned.id));
    this.#steps.push({ id, step, after: after.filter((one) => known.has(one)) });
    return id;
  }

  #resources(): string[] {
    const { networks, volumes } = withoutUnused(this.project);
    const added: string[] = [];
    for (const [key, { name = key, external }] of Object.entries(networks)) {
      if (external || this.observed.networks.has(name)) continue;
      added.push(this.#add(`network:${key}`, { kind: "create-network", key, name }, []));
    }
    for (const [key, { name = key, external }] of Object.entries(volumes)) {
      if (external || this.observed.volumes.has(name)) continue;
      added.push(this.#add(`volume:${key}`, { kind: "create-volume", key, name }, []));
    }
    return added;
  }

  #remove(container: ContainerState, why: string): void {
    this.#add(`remove:${container.id}`, { kind: "remove-container", container, volumes: false, why }, []);
  }

  #service(name: string, resources: readonly string[]): void {
    const service = this.project.services[name];
    if (!service || service.provider || this.options.without?.includes(name)) return;
    const policy = this.#policy(name);
    const found = this.observed.containers.filter((one) => serviceOf(one) === name && !isOneOff(one));
    const own = this.#withoutFormer(name, service, found, policy)
      .map((container) => ({ container, why: this.#divergence(name, service, container, policy) }))
      // What is out of date goes first when there are too many; of the rest, the highest numbers.
      .sort(
        (a, b) =>
          Number(a.why === undefined) - Number(b.why === undefined) || numberOf(a.container) - numberOf(b.container),
      );
    const wanted = scaleOf(service);
    const surplus = Math.max(0, own.length - wanted);
    const outdated = own.filter(({ why }) => why !== undefined).slice(0, surplus);
    const current = own.filter((one) => !outdated.includes(one));
    const kept = current.slice(0, wanted);
    for (const { container } of [...outdated, ...current.slice(wanted)]) this.#remove(container, `${wanted} wanted`);
    const after = [...resources, ...this.#creationsOf(referencedServices(service))];
    const replicas = kept.map(({ container, why }) => this.#replica(name, service, container, why, after));
    let next = Math.max(0, ...own.map(({ container }) => numberOf(container))) + 1;
    while (replicas.length < wanted) replicas.push(this.#newReplica(name, service, next++, after));
    this.#replicas.set(name, replicas);
  }

  /**
   * A replacement that was cut off half-way is gone on with: the old container counts no more. When it would itself be
   * replaced it goes, and the old one is still there.
   */
  #withoutFormer(
    name: string,
    service: Service,
    found: readonly ContainerState[],
    policy: UpOptions["recreate"],
  ): readonly ContainerState[] {
    const successor = found.find((one) => formerOf(one, found));
    const former = successor && formerOf(successor, found);
    if (!successor || !former) return found;
    if (this.#divergence(name, service, successor, policy) === undefined && this.options.starts) {
      this.#successions.set(`${name}/${numberOf(successor)}`, former);
      return found.filter((one) => one !== former);
    }
    this.#remove(successor, "its replacement was cut off");
    return found.filter((one) => one !== successor);
  }

  #policy(name: string): UpOptions["recreate"] {
    const { named, recreate, recreateDependencies } = this.options;
    return named.length === 0 || named.includes(name) ? recreate : recreateDependencies;
  }

  /** Why a container is to be replaced; undefined when it is not. */
  #divergence(
    name: string,
    service: Service,
    container: ContainerState,
    policy: UpOptions["recreate"],
  ): string | undefined {
    if (policy === "never") return undefined;
    if (policy === "force") return "forced";
    const shared = referencedServices(service).find((other) => this.#replaced.has(other));
    if (shared !== undefined) return `${shared} is replaced, whose container it uses`;
    const resolved = resolveReferences(service, (other) => this.#containerOf(other)?.id);
    if (!resolved || container.labels[LABEL.hash] !== configHash(resolved)) return "its configuration changed";
    if (!sameProfile(container.labels, policyLabels(this.project, service))) return "its profile or grants changed";
    const image = this.observed.images.get(imageOf(this.project, name, service));
    return image !== undefined && container.labels[LABEL.image] !== image ? "its image changed" : undefined;
  }

  #containerOf(service: string): ContainerState | undefined {
    return this.observed.containers
      .filter((container) => serviceOf(container) === service && !isOneOff(container))
      .sort((a, b) => numberOf(a) - numberOf(b))[0];
  }

  #replica(
    name: string,
    service: Service,
    container: ContainerState,
    why: string | undefined,
    after: readonly string[],
  ): Replica {
    const number = numberOf(container);
    const own = containerName(this.project, name, service, number);
    if (why === undefined) {
      // Cut off between the removal of the old one and this one's renaming.
      const isSuccessor = this.#successions.has(`${name}/${number}`);
      if (!isSuccessor && container.name === `${container.labels[LABEL.replace] ?? ""}_${own}`)
        this.#add(
          `rename:${name}/${number}`,
          { kind: "rename-container", container, name: own },
          this.#steps.map(({ id }) => id).filter((id) => id.startsWith("remove:")),
        );
      return { number, name: own, kept: container };
    }
    this.#replaced.add(name);
    const isGapless = this.options.starts && startsFirst(service, container);
    if (isGapless) this.#successions.set(`${name}/${number}`, container);
    this.#add(
      `create:${name}/${number}`,
      {
        kind: "create-container",
        service: name,
        number,
        name: own,
        replaces: container,
        renewsVolumes: this.options.renewsVolumes,
        ...(isGapless ? { startsFirst: true } : {}),
        why,
      },
      after,
    );
    return { number, name: own, kept: undefined };
  }

  #newReplica(name: string, service: Service, number: number, after: readonly string[]): Replica {
    const own = containerName(this.project, name, service, number);
    const step: Step = { kind: "create-container", service: name, number, name: own, renewsVolumes: false, why: "" };
    this.#add(`create:${name}/${number}`, step, after);
    return { number, name: own, kept: undefined };
  }

  #creationsOf(services: readonly string[]): string[] {
    return services.flatMap((name) => (this.#replicas.get(name) ?? []).map(({ number }) => `create:${name}/${number}`));
  }

  /** Those who ask for it are stopped before what they depend on is replaced, and started again after it. */
  #restartDependents(): void {
    for (const [name, service] of Object.entries(this.project.services)) {
      const causes = Object.entries(service.depends_on ?? {}).filter(
        ([other, { restart }]) => restart && this.#replaced.has(other),
      );
      for (const { kept, number } of causes.length > 0 ? (this.#replicas.get(name) ?? []) : [])
        if (kept && isRunning(kept))
          this.#add(
            `stop:${name}/${number}`,
            { kind: "stop-container", container: kept, why: `${causes[0]?.[0]} is replaced` },
            [],
          );
    }
  }

  #starts(name: string): void {
    const service = this.project.services[name];
    const stopped = new Set(this.#steps.map(({ id }) => id));
    const replicas = (this.#replicas.get(name) ?? []).filter(
      ({ kept, number }) => !kept || !isRunning(kept) || stopped.has(`stop:${name}/${number}`),
    );
    if (!service) return;
    if (replicas.length === 0) {
      this.#handOvers(name);
      return;
    }
    const waits = Object.entries(service.depends_on ?? {}).flatMap(([other, { condition, required = true }]) =>
      this.#waitFor(other, condition ?? "service_started", name, required),
    );
    for (const replica of replicas) {
      const step: Step = { kind: "start-container", service: name, number: replica.number, name: replica.name };
      this.#add(`start:${name}/${replica.number}`, step, [
        `create:${name}/${replica.number}`,
        `stop:${name}/${replica.number}`,
        ...waits,
      ]);
    }
    this.#handOvers(name);
  }

  #handOvers(name: string): void {
    for (const { number, name: own } of this.#replicas.get(name) ?? []) {
      const from = this.#successions.get(`${name}/${number}`);
      if (!from) continue;
      const id = `ready:${name}/${number}`;
      this.#add(
        id,
        {
          kind: "wait",
          service: name,
          condition: "service_healthy",
          numbers: [number],
          by: "the old one to end",
          required: true,
          successorOf: from,
        },
        [`create:${name}/${number}`, `start:${name}/${number}`],
      );
      this.#add(`take:${name}/${number}`, { kind: "hand-over", service: name, number, name: own, from }, [id]);
    }
  }

  /** Ids of the steps after which a service is as the condition wants it. */
  #waitFor(name: string, condition: Condition, by: string, required: boolean): string[] {
    const replicas = this.#replicas.get(name) ?? [];
    const numbers = replicas.map(({ number }) => number);
    const starts = numbers.map((number) => `start:${name}/${number}`);
    if (condition === "service_started") return starts;
    // Health that a dependent waits for is health that `--wait` need not wait for again.
    const waited = `wait:${name}:service_healthy:true`;
    if (condition === "running_or_healthy" && this.#steps.some((planned) => planned.id === waited)) return [waited];
    const id = `wait:${name}:${condition}:${required}`;
    if (replicas.length > 0 && !this.#steps.some((planned) => planned.id === id))
      this.#add(id, { kind: "wait", service: name, condition, numbers, by, required }, starts);
    return [id];
  }

  /** What `--wait` wants: one that others expect to end may end. */
  #finalCondition(name: string): Condition {
    const ends = Object.values(this.project.services).some(
      ({ depends_on }) => depends_on?.[name]?.condition === "service_completed_successfully",
    );
    return ends ? "service_completed_successfully" : "running_or_healthy";
  }
}

/** Services so that each comes after those it depends on; neighbours in order of name. */
export function inDependencyOrder(project: Pick<Project, "services">): string[] {
  const done = new Set<string>();
  const visit = (name: string): void => {
    if (done.has(name) || !(name in project.services)) return;
    done.add(name);
    for (const other of Object.keys(project.services[name]?.depends_on ?? {}).sort()) visit(other);
    order.push(name);
  };
  const order: string[] = [];
  for (const name of Object.keys(project.services).sort()) visit(name);
  return order;
}
