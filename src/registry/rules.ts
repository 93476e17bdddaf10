import { namePattern, type RetentionRule } from "../policy/mod.ts";
import type { RepositoryRule } from "./settings/settings.ts";
import type { Usage } from "./usage.ts";

/** What an operator's rules decide of repositories. */
export interface Rules {
  /** Bytes that a repository may take beyond what it has. */
  room(repository: string): number;
  /** True when a tag that exists may not be pointed elsewhere. */
  immutable(repository: string, tag: string): boolean;
  /** Which tags stay; undefined: all. */
  retention(repository: string): RetentionRule | undefined;
}

/** The rules of a registry's file. They may be replaced while it serves. */
export class RepositoryRules implements Rules {
  readonly #usage: Usage;
  #rules: readonly ReturnType<typeof compile>[];

  constructor(rules: readonly RepositoryRule[], usage: Usage) {
    this.#usage = usage;
    this.#rules = rules.map(compile);
  }

  replace(rules: readonly RepositoryRule[]): void {
    this.#rules = rules.map(compile);
  }

  /** Every quota counts that fits: what its repositories have together leaves so much. */
  room(repository: string): number {
    let room = Number.POSITIVE_INFINITY;
    for (const { quota, fits } of this.#rules) {
      if (quota !== undefined && fits(repository)) room = Math.min(room, quota - this.#usage.total(fits));
    }
    return Math.max(0, room);
  }

  immutable(repository: string, tag: string): boolean {
    return this.#rules.some(({ fits, fixed }) => fits(repository) && fixed.some((isFixed) => isFixed(tag)));
  }

  /** The last rule that fits and says something. */
  retention(repository: string): RetentionRule | undefined {
    return this.#rules.findLast(({ fits, retain }) => retain !== undefined && fits(repository))?.retain;
  }
}

function compile({ match, immutable, retain, quota }: RepositoryRule) {
  return { fits: namePattern(match), fixed: immutable.map(namePattern), retain, quota };
}
