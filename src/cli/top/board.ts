import type { Look, Reading, Usage } from "./look.ts";

/** Looks that histories go back. */
export const HISTORY = 120;
/** Looks over which an order is decided: rows that change places every second cannot be read. */
const STEADY = 5;

/** A container and what it does per second. */
export interface Meter {
  readonly reading: Reading;
  /** Hundredths of one processor. */
  readonly cpu: number;
  /** The same, evened out: for order. */
  readonly steadyCpu: number;
  /** Bytes per second. */
  readonly received: number;
  readonly sent: number;
  readonly steadyTraffic: number;
  /** Earlier values of `cpu`, the newest last. */
  readonly history: readonly number[];
}

interface Trace {
  last: Usage | undefined;
  cpu: number[];
  traffic: number[];
  received: number;
  sent: number;
}

/** Keeps what looks told, as far as it is shown. */
export class Board {
  readonly #traces = new Map<string, Trace>();
  #look: Look | undefined;
  #total: number[] = [];

  get look(): Look | undefined {
    return this.#look;
  }

  /** Hundredths of one processor that all containers used together, the newest last. */
  get total(): readonly number[] {
    return this.#total;
  }

  take(look: Look): void {
    this.#look = look;
    const present = new Set(look.containers.map(({ id }) => id));
    for (const id of this.#traces.keys()) if (!present.has(id)) this.#traces.delete(id);
    for (const { id, usage } of look.containers) this.#follow(id, usage);
    const measured = [...this.#traces.values()].filter(({ cpu }) => cpu.length > 0);
    // The first look has nothing to compare with.
    if (measured.length > 0 || look.containers.length === 0)
      this.#total = keep(this.#total, sum(measured.map(({ cpu, last }) => (last ? (cpu.at(-1) ?? 0) : 0))));
  }

  meters(): Meter[] {
    return (this.#look?.containers ?? []).map((reading) => {
      const { cpu, traffic, received, sent } = this.#traces.get(reading.id) ?? nothing();
      return {
        reading,
        cpu: reading.usage ? (cpu.at(-1) ?? 0) : 0,
        steadyCpu: reading.usage ? average(cpu.slice(-STEADY)) : -1,
        received,
        sent,
        steadyTraffic: reading.usage ? average(traffic.slice(-STEADY)) : -1,
        history: cpu,
      };
    });
  }

  #follow(id: string, usage: Usage | undefined): void {
    const trace = this.#traces.get(id) ?? nothing();
    this.#traces.set(id, trace);
    const before = trace.last;
    trace.last = usage;
    [trace.received, trace.sent] = [0, 0];
    // Counters begin anew with every start.
    if (!usage || !before || usage.at <= before.at || usage.cpu < before.cpu) return;
    const seconds = (usage.at - before.at) / 1000;
    trace.received = Math.max(0, usage.received - before.received) / seconds;
    trace.sent = Math.max(0, usage.sent - before.sent) / seconds;
    trace.cpu = keep(trace.cpu, (usage.cpu - before.cpu) / 1e7 / seconds);
    trace.traffic = keep(trace.traffic, trace.received + trace.sent);
  }
}

const nothing = (): Trace => ({ last: undefined, cpu: [], traffic: [], received: 0, sent: 0 });

function keep(values: readonly number[], next: number): number[] {
  return [...values.slice(1 - HISTORY), next];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}
