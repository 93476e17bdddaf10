import { formatGrant, GRANT_WORDS, type GrantWord, type Profile, RULES, wordOf } from "../policy/mod.ts";
import type { EngineContext } from "./context.ts";
import { landlockOf } from "./landlock.ts";
import { getContainer } from "./lookup.ts";

/** What a container may do: its profile, rule by rule, and what it was granted beyond. */
export interface GrantView {
  readonly profile: Profile;
  readonly rules: readonly { readonly rule: string; readonly explain: string; readonly lifted: readonly string[] }[];
  /** What Landlock keeps it from, a line each; or why nothing. */
  readonly landlock: readonly string[];
  readonly grants: readonly {
    readonly grant: string;
    /** `grant`, or the flag that asked. */
    readonly by: string;
    readonly opens: string;
    readonly gains: string;
  }[];
}

/** Tells what containers were granted. */
export class Grants {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Everything that can be granted. */
  words(): readonly GrantWord[] {
    return GRANT_WORDS;
  }

  /** `not-found`. */
  of(ref: string): GrantView {
    const container = getContainer(this.#context.store, ref);
    const { policy = { profile: "docker" as const, grants: [] } } = container.spec;
    const { profile, grants } = policy;
    return {
      profile,
      rules: RULES.map(({ rule, explain, grants: words }) => ({
        rule,
        explain: explain[profile],
        lifted: grants.filter(({ grant }) => words.includes(grant.name)).map(({ grant }) => formatGrant(grant)),
      })),
      landlock: landlockOf(this.#context, container).explain,
      grants: grants.map(({ grant, by }) => {
        const { opens, gains } = wordOf(grant.name);
        return { grant: formatGrant(grant), by, opens, gains };
      }),
    };
  }
}
