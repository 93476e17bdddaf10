import { HavreError } from "../../base/mod.ts";
import type { RegistryContext } from "../context.ts";
import type { Registry } from "../registry.ts";
import type { Rules } from "../rules.ts";
import { type CollectOptions, type CollectProgress, collect } from "./collect.ts";
import { type Retained, retain } from "./retain.ts";

/** What an operator sets off, or the clock: one run at a time. */
export class Upkeep {
  /** Of the collections since the start. */
  freed = 0;
  runs = 0;
  readonly #context: RegistryContext;
  readonly #registry: Registry;
  readonly #rules: Rules;
  #busy = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: RegistryContext, registry: Registry, rules: Rules) {
    this.#context = context;
    this.#registry = registry;
    this.#rules = rules;
  }

  /** `conflict` while another run is under way. */
  async *collect(options: CollectOptions): AsyncGenerator<CollectProgress> {
    using _turn = this.#turn();
    await this.#registry.uploads.forgetStale();
    let last: CollectProgress | undefined;
    for await (last of collect(this.#context, options)) yield last;
    this.runs++;
    if (!options.dryRun) this.freed += last?.freed ?? 0;
  }

  async *retain(options: { readonly dryRun: boolean }): AsyncGenerator<Retained> {
    using _turn = this.#turn();
    yield* retain(this.#context, this.#registry.manifests, this.#rules, options);
  }

  /** Retention and collection by themselves, every so many milliseconds; undefined: no more. */
  every(ms: number | undefined, tell: (what: string, result: object) => void): void {
    clearInterval(this.#timer);
    if (ms === undefined) return;
    this.#timer = setInterval(() => {
      this.#both(tell).catch((error) => this.#context.log.error("upkeep failed", { error }));
    }, ms);
    this.#timer.unref();
  }

  async #both(tell: (what: string, result: object) => void): Promise<void> {
    let removed = 0;
    for await (const { keep } of this.retain({ dryRun: false })) if (!keep) removed++;
    tell("retain", { removed });
    let last: CollectProgress | undefined;
    for await (last of this.collect({ dryRun: false }));
    tell("collect", { removed: last?.removed ?? 0, freed: last?.freed ?? 0 });
  }

  #turn(): Disposable {
    if (this.#busy) throw new HavreError("conflict", "A collection or retention is under way already");
    this.#busy = true;
    return {
      [Symbol.dispose]: () => {
        this.#busy = false;
      },
    };
  }
}
