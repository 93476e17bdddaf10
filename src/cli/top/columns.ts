import type { Meter } from "./board.ts";
import { type Glyphs, sparkline } from "./glyphs.ts";
import { STYLE } from "./line.ts";
import { condition, type Sort } from "./rows.ts";
import { age, rate, size } from "./units.ts";

export interface Cell {
  readonly text: string;
  readonly style?: string;
}

export interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: "left" | "right";
  readonly sort?: Sort;
  cell(meter: Meter, now: number, glyphs: Glyphs): Cell;
  /** Of all of a project together. */
  sum?(meters: readonly Meter[]): string;
}

export const NAME_WIDTH = { least: 16, most: 36 };
const HISTORY_WIDTH = { least: 10, most: 30 };
/** A history's highest bar is its own highest value, but never less than this: what idles shall look idle. */
const LEAST_FULL = 10;

const STATE: Column = {
  title: "STATE",
  width: 12,
  align: "left",
  sort: "state",
  cell: (meter) => ({ text: condition(meter), style: conditionStyle(meter) }),
};
const CPU: Column = {
  title: "CPU %",
  width: 7,
  align: "right",
  sort: "cpu",
  cell: ({ cpu, reading }) => (reading.usage ? { text: cpu.toFixed(1), style: cpu < 0.05 ? STYLE.dim : "" } : NOTHING),
  sum: (meters) => meters.reduce((total, { cpu }) => total + cpu, 0).toFixed(1),
};
const MEMORY: Column = {
  title: "MEM",
  width: 8,
  align: "right",
  sort: "memory",
  cell: (meter) => {
    const { usage } = meter.reading;
    return usage ? { text: size(usage.memory), style: memoryStyle(meter) } : NOTHING;
  },
  sum: (meters) => size(meters.reduce((total, { reading }) => total + (reading.usage?.memory ?? 0), 0)),
};
const LIMIT: Column = {
  title: "LIMIT",
  width: 7,
  align: "right",
  cell: (meter) => {
    const { memoryLimit } = meter.reading.usage ?? {};
    return memoryLimit === undefined ? NOTHING : { text: size(memoryLimit), style: STYLE.dim };
  },
};
const RECEIVED: Column = {
  title: "IN/s",
  width: 8,
  align: "right",
  sort: "traffic",
  cell: ({ received, reading }) => (reading.usage ? rateCell(received) : NOTHING),
  sum: (meters) => rate(meters.reduce((total, { received }) => total + received, 0)),
};
const SENT: Column = {
  title: "OUT/s",
  width: 8,
  align: "right",
  cell: ({ sent, reading }) => (reading.usage ? rateCell(sent) : NOTHING),
  sum: (meters) => rate(meters.reduce((total, { sent }) => total + sent, 0)),
};
const UP: Column = {
  title: "UP",
  width: 6,
  align: "right",
  sort: "up",
  cell: ({ reading: { startedAt, usage } }, now) =>
    startedAt === undefined || usage === undefined ? NOTHING : { text: age(now - startedAt) },
};
const PROCESSES: Column = {
  title: "PROCS",
  width: 7,
  align: "right",
  cell: ({ reading: { usage } }) => (usage ? { text: String(usage.processes), style: STYLE.dim } : NOTHING),
  sum: (meters) => String(meters.reduce((total, { reading }) => total + (reading.usage?.processes ?? 0), 0)),
};
const NOTHING: Cell = { text: "-", style: STYLE.dim };

function history(width: number): Column {
  return {
    title: "HISTORY",
    width: width + 1,
    align: "right",
    cell: (meter, _now, glyphs) => ({
      text: sparkline(meter.history, width, Math.max(LEAST_FULL, ...meter.history.slice(-width)), glyphs),
      style: STYLE.cyan,
    }),
  };
}

/** The columns after the name that fit, and how wide the name may be: the less telling ones go first. */
export function columnsFor(width: number, longestName: number): { readonly name: number; readonly columns: Column[] } {
  const order = [STATE, CPU, history(HISTORY_WIDTH.least), MEMORY, LIMIT, RECEIVED, SENT, UP, PROCESSES];
  const weight = [CPU, MEMORY, STATE, UP, order[2], RECEIVED, SENT, LIMIT, PROCESSES];
  let room = width - 2 - NAME_WIDTH.least;
  const kept = new Set<Column>();
  for (const column of weight) {
    if (!column || column.width > room) break;
    kept.add(column);
    room -= column.width;
  }
  const forName = Math.min(room, Math.max(0, Math.min(longestName, NAME_WIDTH.most) - NAME_WIDTH.least));
  const forHistory = Math.min(room - forName, HISTORY_WIDTH.most - HISTORY_WIDTH.least);
  const wide = history(HISTORY_WIDTH.least + Math.max(0, forHistory));
  const columns = order.filter((column) => kept.has(column)).map((column) => (column === order[2] ? wide : column));
  return { name: NAME_WIDTH.least + forName, columns };
}

function rateCell(value: number): Cell {
  return { text: rate(value), style: value < 1 ? STYLE.dim : "" };
}

export function conditionStyle(meter: Meter): string {
  const { state, exitCode } = meter.reading;
  const word = condition(meter);
  if (word === "unhealthy" || word === "restarting" || word === "dead") return STYLE.red;
  if (word === "starting" || word === "paused") return STYLE.yellow;
  if (state === "running") return STYLE.green;
  return exitCode === 0 ? STYLE.dim : STYLE.red;
}

/** What is close to its limit will soon be killed. */
function memoryStyle({ reading: { usage } }: Meter): string {
  if (!usage?.memoryLimit) return "";
  const share = usage.memory / usage.memoryLimit;
  return share >= 0.9 ? STYLE.red : share >= 0.75 ? STYLE.yellow : "";
}

export function conditionSign(meter: Meter, glyphs: Glyphs): string {
  const style = conditionStyle(meter);
  if (style === STYLE.yellow) return glyphs.busy;
  if (style === STYLE.green) return glyphs.up;
  return style === STYLE.red ? glyphs.bad : glyphs.stopped;
}
