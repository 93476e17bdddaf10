import { HavreError } from "../../base/mod.ts";
import {
  type Drift,
  decideSeccomp,
  driftOf,
  formatGrant,
  type Need,
  type NeedGround,
  narrowed,
  needsOf,
  type Observed,
  parseGrant,
  parseSecurityOptions,
} from "../../policy/mod.ts";
import type { SeccompProfile } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { getContainer } from "../lookup.ts";
import { observedOf } from "./records.ts";

/** What a watched run shows that a container needs. */
export interface LearnedNeeds {
  readonly needs: readonly Need[];
  /** Its filter, narrowed to what it called; absent: it has none. */
  readonly seccomp?: SeccompProfile;
  /** System calls that it made beyond those that every program may. */
  readonly calls: Readonly<Record<string, number>>;
  /** The kernel told how calls ended, and which capabilities it asked for. */
  readonly results: boolean;
  readonly capabilities: boolean;
}

/** What containers under observation did, and what follows from it. */
export class Observations {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Of the last run, or of this one so far. `not-found`; `failed-precondition` for one that was not watched. */
  async observed(ref: string): Promise<Observed> {
    return (await this.#look(ref)).observed;
  }

  /** As `observed`. */
  async needs(ref: string): Promise<LearnedNeeds> {
    const { container, observed } = await this.#look(ref);
    const { host } = this.#context;
    const { hostConfig } = container.spec;
    // Capabilities open calls in the filter; which of them are called is what counts.
    const { seccomp } = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
    const { profile } = decideSeccomp(seccomp, hostConfig.Privileged, {
      architecture: host.architecture,
      kernel: host.kernel,
      capabilities: hostConfig.CapAdd ?? [],
    });
    return {
      needs: needsOf(observed, this.#ground(container)),
      ...(profile ? { seccomp: narrowed(profile, Object.keys(observed.calls)) } : {}),
      calls: observed.calls,
      results: observed.results,
      capabilities: observed.capabilities,
    };
  }

  /** What it was granted and uses, was granted and has not used, and uses without a grant. As `observed`. */
  async drift(ref: string): Promise<Drift & { readonly from: number; readonly to: number }> {
    const { container, observed } = await this.#look(ref);
    // A flag's words may lack what a grant's have: CHOWN, CAP_CHOWN.
    const granted = (container.spec.policy?.grants ?? []).map(({ grant }) => parseGrant(formatGrant(grant)));
    const drift = driftOf(
      needsOf(
        observed,
        this.#ground(
          container,
          granted.map(({ value }) => value),
        ),
      ),
      granted,
    );
    return { ...drift, from: observed.from, to: observed.to };
  }

  async #look(ref: string): Promise<{ readonly container: Container; readonly observed: Observed }> {
    const container = getContainer(this.#context.store, ref);
    const observed = await observedOf(this.#context, container);
    if (observed === undefined)
      throw new HavreError("failed-precondition", `Nobody watched ${container.name} in its last run`, {
        hint: "Run it with --observe, or with the label havre.observe=true",
      });
    return { container, observed };
  }

  /** @param granted paths that are writable by a grant: they count as needs. */
  #ground({ spec, status }: Container, granted: readonly string[] = []): NeedGround {
    const { networks } = this.#context;
    const own = new Set(Object.values(status.networkIds ?? {}));
    const mounts = spec.mounts.filter(({ writable, destination }) => writable && !granted.includes(destination));
    return {
      writable: [...mounts.map(({ destination }) => destination), ...Object.keys(spec.hostConfig.Tmpfs ?? {})],
      networks: networks.list().flatMap(({ id, pools }) => (own.has(id) ? pools.map(({ subnet }) => subnet) : [])),
    };
  }
}
