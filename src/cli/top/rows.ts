import { LABEL } from "../../compose/mod.ts";
import type { Meter } from "./board.ts";

export const SORTS = ["name", "state", "cpu", "memory", "traffic", "up"] as const;
export type Sort = (typeof SORTS)[number];

export interface Arrangement {
  readonly sort: Sort;
  readonly reversed: boolean;
  /** Words that all have to be in a container's name, project, image or state. */
  readonly filter: string;
  /** Projects apart. */
  readonly grouped: boolean;
}

export type Row =
  | { readonly kind: "container"; readonly meter: Meter; readonly inGroup: boolean }
  | { readonly kind: "project"; readonly name: string; readonly meters: readonly Meter[] };

/** Containers in order, each project's below its name. Those of no project stand first. */
export function arrange(meters: readonly Meter[], { sort, reversed, filter, grouped }: Arrangement): Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = meters.filter((meter) => words.every((word) => searched(meter).includes(word)));
  const compare = (a: readonly Meter[], b: readonly Meter[]) => order(sort, a, b) * (reversed ? -1 : 1);
  const sorted = [...shown].sort((a, b) => compare([a], [b]) || byName(a, b));
  const groups = new Map<string, Meter[]>();
  for (const meter of sorted) {
    const name = grouped ? projectOf(meter) : "";
    groups.set(name, [...(groups.get(name) ?? []), meter]);
  }
  const alone = groups.get("") ?? [];
  groups.delete("");
  const projects = [...groups].sort(([nameA, a], [nameB, b]) =>
    sort === "name" ? compareNames(nameA, nameB) * (reversed ? -1 : 1) : compare(a, b) || compareNames(nameA, nameB),
  );
  const container = (inGroup: boolean) => (meter: Meter) => ({ kind: "container", meter, inGroup }) as const;
  return [
    ...alone.map(container(false)),
    ...projects.flatMap(([name, members]) => [
      { kind: "project", name, meters: members } as const,
      ...members.map(container(true)),
    ]),
  ];
}

export function projectOf({ reading: { labels } }: Meter): string {
  return labels[LABEL.project] ?? "";
}

/** `web-1` below its project's name; the whole name elsewhere. */
export function shownName(meter: Meter, inGroup: boolean): string {
  const { name } = meter.reading;
  const prefix = `${projectOf(meter)}-`;
  return inGroup && name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : name;
}

/** One word for how it is. */
export function condition({ reading: { state, health, exitCode } }: Meter): string {
  if (state === "running") return health === "none" ? "up" : health;
  return state === "exited" ? `exited ${exitCode}` : state;
}

function searched(meter: Meter): string {
  const { name, image } = meter.reading;
  return `${name} ${projectOf(meter)} ${image} ${condition(meter)}`.toLowerCase();
}

function byName(a: Meter, b: Meter): number {
  return compareNames(a.reading.name, b.reading.name);
}

/** `web-2` before `web-10`. */
function compareNames(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** What has most, or is worst, comes first; names in their own order. A group weighs what its members do together. */
function order(sort: Sort, a: readonly Meter[], b: readonly Meter[]): number {
  if (sort === "name") return compareNames(a[0]?.reading.name ?? "", b[0]?.reading.name ?? "");
  return weigh(sort, b) - weigh(sort, a);
}

const CONCERN: Readonly<Record<string, number>> = { unhealthy: 5, restarting: 4, dead: 4, starting: 3, paused: 2 };

function weigh(sort: Sort, meters: readonly Meter[]): number {
  const all = (value: (meter: Meter) => number) => meters.reduce((total, meter) => total + value(meter), 0);
  switch (sort) {
    case "cpu":
      // Tenths, as they are shown: what looks the same does not change places.
      return Math.round(all(({ steadyCpu }) => steadyCpu) * 10);
    case "memory":
      return all(({ reading }) => reading.usage?.memory ?? -1);
    case "traffic":
      return Math.round(all(({ steadyTraffic }) => steadyTraffic));
    case "up":
      // The youngest first: that is what one looks for.
      return Math.max(...meters.map(({ reading }) => reading.startedAt ?? 0));
    default:
      return Math.max(...meters.map(concern));
  }
}

function concern(meter: Meter): number {
  const { state, exitCode } = meter.reading;
  return CONCERN[condition(meter)] ?? (state === "exited" ? (exitCode === 0 ? 0 : 3) : 1);
}
