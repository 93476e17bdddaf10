import type { Output } from "../../output/output.ts";

interface Step {
  readonly name: string;
  readonly milliseconds: number;
  /** The daemon's own account of the step (the Server-Timing header). */
  readonly inside: string | undefined;
}

/** Where the time of a `run` goes, as the client sees it; the daemon tells what it did inside a step. */
export class Trace {
  readonly #steps: Step[] = [];
  #last = performance.now();

  constructor() {
    // Everything before: the program's own start and the reading of its command line.
    this.#steps.push({ name: "program start", milliseconds: this.#last, inside: undefined });
  }

  mark(name: string, inside?: string): void {
    const now = performance.now();
    this.#steps.push({ name, milliseconds: now - this.#last, inside });
    this.#last = now;
  }

  print(err: Output): void {
    for (const { name, milliseconds, inside } of this.#steps) {
      err.line(`${milliseconds.toFixed(2).padStart(9)} ms  ${name}`);
      for (const part of inside?.split(", ") ?? []) {
        const [, step = part, duration = ""] = /^([^;]+);dur=([\d.]+)/.exec(part) ?? [];
        err.line(`${duration.padStart(20)}  ${step}`);
      }
    }
    err.line(`${this.#last.toFixed(2).padStart(9)} ms  in all`);
  }
}
