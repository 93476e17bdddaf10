import { HavreError } from "../../base/mod.ts";
import type { Container } from "../../engine/mod.ts";
import type { Image } from "../../images/mod.ts";
import type { Filters } from "./filters.ts";
import { type NetworkIds, networksOf } from "./projections/endpoint.ts";
import { portsOf } from "./projections/ports.ts";
import { parseInteger } from "./query.ts";

const ACCEPTED = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "is-task",
  "isolation",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
];
const STATES = ["paused", "restarting", "removing", "running", "dead", "created", "exited"];
const HEALTHS = ["none", "starting", "healthy", "unhealthy"];

export interface ListQuery {
  readonly all: boolean;
  /** The newest so many, running or not; 0: no limit. */
  readonly limit: number;
  readonly filters: Filters;
  readonly before: string | undefined;
  readonly since: string | undefined;
  /** The image of this name or id, if it is here. */
  readonly findImage: (name: string) => Image | undefined;
  readonly networkIds: NetworkIds;
}

type Test = (container: Container) => boolean;

export function isRunning({ status }: Container): boolean {
  return status.state === "running" || status.state === "paused" || status.state === "restarting";
}

function findReference(containers: readonly Container[], ref: string): Container {
  const name = ref.replace(/^\//, "");
  const found = containers.find(({ id }) => id === ref) ?? containers.find((container) => container.name === name);
  const matches = found ? [found] : containers.filter(({ id }) => id.startsWith(ref));
  const [match] = matches;
  if (!match || matches.length > 1) throw new HavreError("not-found", `No such container: ${ref}`);
  return match;
}

function byExitCode(filters: Filters): Test {
  const codes = filters.values("exited").map((value) => {
    try {
      return parseInteger(value, "Atoi", 400);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : "";
      throw new HavreError("invalid-argument", `invalid filter 'exited=${value}': ${reason}`, { cause });
    }
  });
  if (codes.length === 0) return () => true;
  return (container) =>
    !isRunning(container) && container.status.startedAt !== undefined && codes.includes(container.status.exitCode);
}

function byState(filters: Filters): Test {
  for (const value of filters.values("status")) {
    if (!STATES.includes(value)) throw new HavreError("invalid-argument", `invalid filter 'status=${value}'`);
  }
  return ({ status }) => filters.matchesPattern("status", status.state);
}

function byHealth(filters: Filters): Test {
  for (const value of filters.values("health")) {
    if (!HEALTHS.includes(value))
      throw new HavreError("invalid-argument", `unrecognized filter value for health: ${value}`);
  }
  return ({ status }) => filters.matchesExactly("health", status.health?.status ?? "none");
}

function byNameAndId(containers: readonly Container[], filters: Filters): Test {
  const ids = new Set(
    filters.values("id").flatMap((prefix) => {
      const matches = containers.filter(({ id }) => id.startsWith(prefix));
      return prefix !== "" && matches.length === 1 ? matches.map(({ id }) => id) : [];
    }),
  );
  const nameFits = ({ name }: Container) =>
    filters.matchesPattern("name", `/${name}`) || filters.matchesPattern("name", name);
  if (filters.values("id").length === 0) return nameFits;
  return (container) => ids.has(container.id) && nameFits(container);
}

/** By image, or by an image that the container's own was made from. */
function byAncestor({ filters, findImage }: ListQuery): Test {
  if (!filters.has("ancestor")) return () => true;
  const wanted = new Set<string>(filters.values("ancestor").flatMap((name) => findImage(name)?.id ?? []));
  return ({ spec }) => {
    for (let id = spec.imageId; id !== undefined; id = findImage(id)?.parent) if (wanted.has(id)) return true;
    return false;
  };
}

function byVolume(filters: Filters): Test {
  const wanted = new Set(filters.values("volume"));
  if (!filters.has("volume")) return () => true;
  return ({ spec }) =>
    spec.mounts.some(({ name, source, destination }) => wanted.has(name || source) || wanted.has(destination));
}

function byNetwork({ filters, networkIds }: ListQuery): Test {
  if (!filters.has("network")) return () => true;
  const wanted = filters.values("network");
  return (container) =>
    Object.entries(networksOf(container, networkIds)).some(([name, { NetworkID }]) =>
      wanted.some((value) => value === name || (value !== "" && NetworkID.startsWith(value))),
    );
}

/** `80`, `80/udp`, `8000-8010/tcp` as `port/protocol` of each. */
function portSet(key: string, values: readonly string[]): ReadonlySet<string> {
  const ports = values.flatMap((value) => {
    if (value.includes(":")) throw new HavreError("internal", `filter for '${key}' should not contain ':': ${value}`);
    const [range = "", protocol = "tcp"] = value.split("/", 2);
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || from > to || to > 65535) {
      throw new HavreError("internal", `error while looking up for ${key} ${value}: invalid port`);
    }
    return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${protocol}`);
  });
  return new Set(ports);
}

function byPorts(filters: Filters): Test {
  const published = portSet("publish", filters.values("publish"));
  const exposed = portSet("expose", filters.values("expose"));
  if (published.size === 0 && exposed.size === 0) return () => true;
  return (container) =>
    portsOf(container).some(
      ({ PublicPort, PrivatePort, Type }) =>
        published.has(`${PublicPort ?? 0}/${Type}`) || exposed.has(`${PrivatePort}/${Type}`),
    );
}

/** The part of the list that `before` and `since` leave, newest first. */
function between(containers: readonly Container[], query: ListQuery): readonly Container[] {
  const { filters } = query;
  const before = filters.values("before").at(-1) ?? query.before;
  const since = filters.values("since").at(-1) ?? query.since;
  let part = containers;
  const [from, to] = [before, since].map((ref) => (ref === undefined ? undefined : findReference(containers, ref).id));
  if (from !== undefined) part = part.slice(part.findIndex(({ id }) => id === from) + 1);
  const end = to === undefined ? -1 : part.findIndex(({ id }) => id === to);
  return end < 0 ? part : part.slice(0, end);
}

/** What `GET /containers/json` lists of these, newest first; `invalid-argument` and `not-found` with Docker's texts. */
export function selectContainers(containers: readonly Container[], query: ListQuery): readonly Container[] {
  const { filters, limit } = query;
  filters.validate(ACCEPTED);
  const isTask = filters.flag("is-task");
  const newestFirst = [...containers].sort((a, b) => b.created - a.created);
  const showsStopped = query.all || limit > 0 || filters.values("status").length > 0;
  const tests: readonly Test[] = [
    (container) => showsStopped || isRunning(container),
    // Nothing here is a task of a swarm.
    () => isTask !== true,
    byNameAndId(newestFirst, filters),
    ({ spec }) => filters.matchesPairs("label", spec.config.Labels),
    ({ spec }) => filters.matchesExactly("isolation", spec.hostConfig.Isolation || "default"),
    byExitCode(filters),
    byState(filters),
    byHealth(filters),
    byAncestor(query),
    byVolume(filters),
    byNetwork(query),
    byPorts(filters),
  ];
  const found = between(newestFirst, query).filter((container) => tests.every((test) => test(container)));
  return limit > 0 ? found.slice(0, limit) : found;
}
