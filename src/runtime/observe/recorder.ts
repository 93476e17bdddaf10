import { renameSync, writeFileSync } from "node:fs";
import type { Attempt, Observed } from "../../policy/mod.ts";
import type { Meaning } from "./meaning.ts";

/** Different attempts that are kept. */
const LIMIT = 5000;

/** An attempt while it is counted. */
export interface Counted {
  readonly process: string;
  readonly call: string;
  readonly meaning: Meaning;
  count: number;
  readonly failed: Record<string, number>;
  readonly capabilities: Record<string, boolean>;
  filtered: boolean;
}

/** Counts what is tried, and writes it down. */
export class Recorder {
  readonly #path: string;
  readonly #from = Date.now();
  readonly #facts: Pick<Observed, "results" | "capabilities">;
  readonly #calls: Record<string, number> = {};
  readonly #attempts = new Map<string, Counted>();
  #left = 0;
  #changed = true;

  constructor(path: string, facts: Pick<Observed, "results" | "capabilities">) {
    this.#path = path;
    this.#facts = facts;
  }

  count(call: string): void {
    this.#calls[call] = (this.#calls[call] ?? 0) + 1;
    this.#changed = true;
  }

  attempt(process: string, call: string, meaning: Meaning): Counted {
    const key = [process, call, meaning.kind, meaning.target ?? ""].join("\0");
    const known = this.#attempts.get(key);
    if (known) {
      known.count += 1;
      return known;
    }
    const counted: Counted = { process, call, meaning, count: 1, failed: {}, capabilities: {}, filtered: false };
    if (this.#attempts.size >= LIMIT && !this.#dropMinor()) this.#left += 1;
    else this.#attempts.set(key, counted);
    return counted;
  }

  /** Something became known of what was counted before. */
  changed(): void {
    this.#changed = true;
  }

  write(complete: boolean): void {
    if (!this.#changed && !complete) return;
    this.#changed = false;
    const observed: Observed = {
      version: 1,
      from: this.#from,
      to: Date.now(),
      complete,
      ...this.#facts,
      calls: this.#calls,
      attempts: [...this.#attempts.values()].filter(isTold).map(told),
      left: this.#left,
    };
    const next = `${this.#path}.next`;
    writeFileSync(next, JSON.stringify(observed), { mode: 0o600 });
    renameSync(next, this.#path);
  }

  #dropMinor(): boolean {
    const before = this.#attempts.size;
    for (const [key, counted] of this.#attempts) if (!isTold(counted)) this.#attempts.delete(key);
    return this.#attempts.size < before;
  }
}

function isTold({ meaning, failed, capabilities, filtered }: Counted): boolean {
  // What is not there is looked for all the time.
  const refused = Object.keys(failed).some((name) => name !== "ENOENT" && name !== "EEXIST");
  return meaning.minor !== true || filtered || refused || Object.values(capabilities).includes(true);
}

function told({ process, call, meaning: { kind, target }, count, failed, capabilities, filtered }: Counted): Attempt {
  return {
    process,
    kind,
    call,
    ...(target === undefined ? {} : { target }),
    count,
    failed,
    capabilities,
    ...(filtered ? { filtered } : {}),
  };
}
