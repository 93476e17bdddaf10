import { namePattern } from "./name-pattern.ts";

export const repositoryActions = ["pull", "push", "delete", "admin"] as const;
export type RepositoryAction = (typeof repositoryActions)[number];

/** What a role includes besides itself: who may change a thing may see it. */
const INCLUDES: Readonly<Record<RepositoryAction, readonly RepositoryAction[]>> = {
  pull: ["pull"],
  push: ["push", "pull"],
  delete: ["delete", "pull"],
  admin: ["admin", "delete", "push", "pull"],
};

/** Everybody, whether they signed in or not. */
export const ANONYMOUS = "anonymous";
/** Everybody who signed in. */
export const AUTHENTICATED = "authenticated";
const GROUP = "group:";

/** What the repositories that a pattern fits grant to whom: names of users, `group:NAME`, `anonymous`, `authenticated`. */
export interface RoleRule {
  readonly match: string;
  readonly roles: Readonly<Partial<Record<RepositoryAction, readonly string[]>>>;
}

export interface RoleDecision {
  readonly allowed: boolean;
  readonly explain: string;
}

/** Who may do what with which repository. Grants of all rules add up; what no rule grants is denied. */
export class RepositoryRoles {
  readonly #rules: readonly (RoleRule & { readonly fits: (repository: string) => boolean })[];
  readonly #groups: Readonly<Record<string, readonly string[]>>;

  constructor(rules: readonly RoleRule[], groups: Readonly<Record<string, readonly string[]>>) {
    this.#rules = rules.map((rule) => ({ ...rule, fits: namePattern(rule.match) }));
    this.#groups = groups;
  }

  /** `user` undefined: somebody who did not sign in. */
  decide(user: string | undefined, repository: string, action: RepositoryAction): RoleDecision {
    for (const rule of this.#rules) {
      const why = rule.fits(repository) ? this.#grant(rule, user, action) : undefined;
      if (why !== undefined) return { allowed: true, explain: `${who(user)} may ${action}: ${rule.match} ${why}` };
    }
    return { allowed: false, explain: `no rule lets ${who(user)} ${action} ${repository}` };
  }

  /** Whether they may do it with every repository there may ever be: only a rule for `**` says so. */
  everywhere(user: string | undefined, action: RepositoryAction): boolean {
    return this.#rules.some((rule) => rule.match === "**" && this.#grant(rule, user, action) !== undefined);
  }

  /** Whether a list of subjects names them. */
  names(subjects: readonly string[], user: string | undefined): string | undefined {
    return subjects.find((subject) => {
      if (subject === ANONYMOUS) return true;
      if (user === undefined) return false;
      if (subject === AUTHENTICATED || subject === user) return true;
      return subject.startsWith(GROUP) && (this.#groups[subject.slice(GROUP.length)] ?? []).includes(user);
    });
  }

  #grant({ roles }: RoleRule, user: string | undefined, action: RepositoryAction): string | undefined {
    for (const role of repositoryActions) {
      if (!INCLUDES[role].includes(action)) continue;
      const subject = this.names(roles[role] ?? [], user);
      if (subject !== undefined) return `gives ${role} to ${subject}`;
    }
    return undefined;
  }
}

function who(user: string | undefined): string {
  return user ?? "somebody who did not sign in";
}
