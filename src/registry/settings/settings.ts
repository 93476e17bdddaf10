import type { RetentionRule, RoleRule } from "../../policy/mod.ts";

/** What an operator says of a registry, in its file or by flags. */
export interface RegistrySettings {
  /** Path of an htpasswd file. */
  readonly users?: string;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Clients sign in at this registry's own `/token` and send what they get there; undefined: name and password each time. */
  readonly token?: { readonly lifetimeMs: number };
  /** Who may do what is decided by another server, whose tokens are believed. */
  readonly trust?: Trust;
  readonly repositories: readonly RepositoryRule[];
  /** How often retention and collection run by themselves, in milliseconds; undefined: when asked. */
  readonly housekeepingMs?: number;
  readonly webhooks: readonly Webhook[];
  readonly mirrors: readonly Mirror[];
  /** Path of the audit log. */
  readonly audit?: string;
  /** Who may read `/metrics`, besides those who have admin on `**`. */
  readonly metrics: readonly string[];
  /** How clients reach it, without a trailing slash; undefined: as their requests say. */
  readonly url?: string;
}

export interface RepositoryRule extends RoleRule {
  /** Patterns of tags that, once set, stay where they point. */
  readonly immutable: readonly string[];
  readonly retain?: RetentionRule;
  /** Bytes that all repositories the rule fits may have together. */
  readonly quota?: number;
}

/** A token server (Docker Registry v2 authentication, § Token Authentication Specification). */
export interface Trust {
  /** Where clients are sent for a token. */
  readonly realm: string;
  /** What this registry is called there. */
  readonly service: string;
  readonly issuer: string;
  /** Paths of PEM files (public keys, certificates) and JSON files (a JWK, a JWK set). */
  readonly keys: readonly string[];
}

export const webhookActions = ["push", "delete"] as const;
export type WebhookAction = (typeof webhookActions)[number];

export interface Webhook {
  readonly url: string;
  readonly events: readonly WebhookAction[];
  readonly match: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Repositories below a prefix that are those of another registry, kept here once they were asked for. */
export interface Mirror {
  /** `docker.io`: `docker.io/library/debian` here is `library/debian` there; empty: all names are the same. */
  readonly prefix: string;
  readonly upstream: string;
  readonly user?: string;
  /** Path of a file with the password. */
  readonly passwordFile?: string;
  /** For so long a tag is answered without asking upstream, in milliseconds. */
  readonly freshMs: number;
}

/** A registry of which nothing is said. */
export const noSettings: RegistrySettings = {
  groups: {},
  repositories: [],
  webhooks: [],
  mirrors: [],
  metrics: [],
};
