/** Counters and gauges as Prometheus reads them (text exposition format 0.0.4). */
export class Metrics {
  readonly #counters = new Map<string, { readonly help: string; readonly values: Map<string, number> }>();
  readonly #read = new Map<string, { readonly type: string; readonly help: string; readonly read: () => number }>();
  readonly #buckets = new Map<string, number[]>();

  /** Adds to a counter; `labels` come in the same order each time. */
  add(name: string, help: string, labels: Readonly<Record<string, string | number>> = {}, by = 1): void {
    let counter = this.#counters.get(name);
    if (!counter) {
      counter = { help, values: new Map() };
      this.#counters.set(name, counter);
    }
    const key = labelled(labels);
    counter.values.set(key, (counter.values.get(key) ?? 0) + by);
  }

  /** A value that is read when it is asked for. */
  read(type: "counter" | "gauge", name: string, help: string, read: () => number): void {
    this.#read.set(name, { type, help, read });
  }

  /** How long a request of a kind took. */
  took(kind: string, seconds: number): void {
    let counts = this.#buckets.get(kind);
    if (!counts) {
      counts = [...BOUNDS.map(() => 0), 0, 0]; // The last two: all, and their sum.
      this.#buckets.set(kind, counts);
    }
    for (const [index, bound] of BOUNDS.entries()) if (seconds <= bound) counts[index] = (counts[index] ?? 0) + 1;
    counts[BOUNDS.length] = (counts[BOUNDS.length] ?? 0) + 1;
    counts[BOUNDS.length + 1] = (counts[BOUNDS.length + 1] ?? 0) + seconds;
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, { help, values }] of this.#counters) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
      for (const [labels, value] of values) lines.push(`${name}${labels} ${value}`);
    }
    for (const [name, { type, help, read }] of this.#read) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${read()}`);
    }
    if (this.#buckets.size > 0) {
      lines.push(`# HELP ${DURATION} Time until a request was answered, without sending its body`);
      lines.push(`# TYPE ${DURATION} histogram`);
    }
    for (const [kind, counts] of this.#buckets) {
      const all = counts[BOUNDS.length] ?? 0;
      for (const [index, bound] of BOUNDS.entries()) {
        lines.push(`${DURATION}_bucket${labelled({ kind, le: bound })} ${counts[index]}`);
      }
      lines.push(`${DURATION}_bucket${labelled({ kind, le: "+Inf" })} ${all}`);
      lines.push(`${DURATION}_sum${labelled({ kind })} ${counts[BOUNDS.length + 1]}`);
      lines.push(`${DURATION}_count${labelled({ kind })} ${all}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

const DURATION = "havre_registry_request_seconds";
const BOUNDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

function labelled(labels: Readonly<Record<string, string | number>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${String(value).replace(/[\\"\n]/g, "_")}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}
