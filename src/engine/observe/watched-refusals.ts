import { type RefusalGround, refusedIn, withPrograms } from "../../policy/mod.ts";
import type { EngineContext } from "../context.ts";
import { getContainer } from "../lookup.ts";
import type { RefusalReport, Refusals } from "../refusals.ts";
import { observedOf } from "./records.ts";

/** Rules whose refusals are no system call's failure, or look like any other. */
const UNSEEN = /^(new privileges|resources|the host|outbound)/;

export interface WatchedReport extends RefusalReport {
  /** Its run was watched: the kernel told, and what it said itself adds only what the kernel did not tell. */
  readonly observed: boolean;
}

/** Tells what was denied to containers: of those under observation what the kernel told, of others what they said. */
export class WatchedRefusals {
  readonly #context: EngineContext;
  readonly #said: Pick<Refusals, "why">;

  constructor(context: EngineContext, said: Pick<Refusals, "why">) {
    this.#context = context;
    this.#said = said;
  }

  /** Of the last run; `not-found`. */
  async why(ref: string): Promise<WatchedReport> {
    const container = getContainer(this.#context.store, ref);
    const report = await this.#said.why(ref);
    const observed = await observedOf(this.#context, container);
    if (observed === undefined) return { ...report, observed: false };
    const ground: RefusalGround = {
      profile: report.profile,
      hostConfig: container.spec.hostConfig,
      mounts: container.spec.mounts,
      ownUsers: this.#context.identities.of(container.id) !== undefined,
      exitCode: report.exitCode,
      oomKilled: container.status.oomKilled,
    };
    const seen = refusedIn(observed, ground);
    const known = new Set(seen.flatMap(({ grant }) => grant ?? []));
    const said = report.refusals.filter(({ grant, rule }) =>
      observed.results ? UNSEEN.test(rule) : !known.has(grant ?? ""),
    );
    return { ...report, observed: true, refusals: [...seen, ...withPrograms(said, observed)] };
  }
}
