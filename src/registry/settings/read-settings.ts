import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { HavreError } from "../../base/mod.ts";
import {
  ANONYMOUS,
  AUTHENTICATED,
  type RepositoryAction,
  type RetentionRule,
  repositoryActions,
} from "../../policy/mod.ts";
import { parseSize } from "../../spec/mod.ts";
import { Place } from "./place.ts";
import {
  type Mirror,
  type RegistrySettings,
  type RepositoryRule,
  type Trust,
  type Webhook,
  webhookActions,
} from "./settings.ts";

/** The only form of the file there has been. */
const VERSION = "1";
const TOKEN_LIFETIME_MS = 5 * 60_000;
const SHORTEST_TOKEN_MS = 60_000;
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Reads a registry's file. `invalid-argument` with file, line and column of what is wrong; `not-found`. */
export function readSettings(path: string): RegistrySettings {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new HavreError("not-found", `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  return parseSettings(path, text);
}

/** Paths in it are from the file's folder. */
export function parseSettings(file: string, source: string): RegistrySettings {
  const root = Place.parse(file, source);
  const fields = root.fields([
    "version",
    "users",
    "groups",
    "token",
    "trust",
    "repositories",
    "housekeeping",
    "webhooks",
    "mirrors",
    "audit",
    "metrics",
    "url",
  ]);
  const { version, users, token, trust, housekeeping, audit, url } = fields;
  if (!version) return root.fail("version is missing", `Begin the file with version: ${VERSION}`);
  version.read(`a version that this Havre knows (${VERSION})`, (text) => text === VERSION || undefined);
  const path = (place: Place) => resolve(dirname(file), place.text());
  const groups = Object.fromEntries((fields.groups?.mapping() ?? []).map(([name, place]) => [name, place.texts()]));
  const subjects = (place: Place) => readSubjects(place, groups);
  const repositories = (fields.repositories?.list() ?? []).map((place) => readRule(place, subjects));
  if (trust && (users || token)) trust.fail("users sign in at the server that is trusted, not here too");
  if (trust && repositories.some(({ roles }) => Object.keys(roles).length > 0)) {
    trust.fail("roles are the business of the server that is trusted: take them out of repositories");
  }
  if (!trust && !users && repositories.some(({ roles }) => Object.keys(roles).length > 0)) {
    fields.repositories?.fail("roles need users", "Name an htpasswd file: users: FILE");
  }
  if (token && !users) token.fail("tokens need users", "Name an htpasswd file: users: FILE");
  return {
    groups,
    repositories,
    ...(users ? { users: path(users), token: readToken(token) } : {}),
    ...(trust ? { trust: readTrust(trust, path) } : {}),
    ...(housekeeping ? { housekeepingMs: duration(housekeeping) } : {}),
    webhooks: (fields.webhooks?.list() ?? []).map(readWebhook),
    mirrors: (fields.mirrors?.list() ?? []).map((place) => readMirror(place, path)),
    ...(audit ? { audit: path(audit) } : {}),
    metrics: fields.metrics ? subjects(fields.metrics) : [],
    ...(url ? { url: webAddress(url) } : {}),
  };
}

function readRule(place: Place, subjects: (place: Place) => readonly string[]): RepositoryRule {
  const { match, roles, immutable, retain, quota } = place.fields(["match", "roles", "immutable", "retain", "quota"]);
  if (!match) return place.fail("match is missing", 'For example match: team/**, or match: "**" for all');
  const granted: Partial<Record<RepositoryAction, readonly string[]>> = {};
  const named = roles?.fields(repositoryActions) ?? {};
  for (const role of repositoryActions) {
    const list = named[role];
    if (list) granted[role] = subjects(list);
  }
  return {
    match: match.text(),
    roles: granted,
    immutable: immutable?.texts() ?? [],
    ...(retain ? { retain: readRetention(retain) } : {}),
    ...(quota ? { quota: quota.read("a size such as 20GiB", (text) => parseSize(text, 1024)) } : {}),
  };
}

function readRetention(place: Place): RetentionRule {
  const { newest, within, tags, untagged } = place.fields(["newest", "within", "tags", "untagged"]);
  const count = newest?.read("a whole number", (text) => (/^\d{1,6}$/.test(text) ? Number(text) : undefined));
  return {
    ...(count === undefined ? {} : { newest: count }),
    ...(within ? { within: duration(within) } : {}),
    ...(tags ? { tags: tags.texts() } : {}),
    ...(untagged ? { untagged: duration(untagged) } : {}),
  };
}

function readSubjects(place: Place, groups: Readonly<Record<string, unknown>>): readonly string[] {
  return place.list().map((subject) =>
    subject.read("a user, group:NAME of a group above, anonymous or authenticated", (text) => {
      if (text === ANONYMOUS || text === AUTHENTICATED) return text;
      if (text.startsWith("group:")) return Object.hasOwn(groups, text.slice(6)) ? text : undefined;
      return text.includes(":") ? undefined : text;
    }),
  );
}

function readToken(place: Place | undefined): { readonly lifetimeMs: number } {
  const { lifetime } = place?.fields(["lifetime"]) ?? {};
  const lifetimeMs = lifetime ? duration(lifetime) : TOKEN_LIFETIME_MS;
  if (lifetimeMs < SHORTEST_TOKEN_MS) lifetime?.fail("clients expect tokens that hold a minute at least");
  return { lifetimeMs };
}

function readTrust(place: Place, path: (place: Place) => string): Trust {
  const { realm, service, issuer, keys } = place.fields(["realm", "service", "issuer", "keys"]);
  if (!realm || !service || !issuer || !keys) return place.fail("realm, service, issuer and keys are all needed");
  return { realm: webAddress(realm), service: service.text(), issuer: issuer.text(), keys: keys.list().map(path) };
}

function readWebhook(place: Place): Webhook {
  const { url, events, match, headers } = place.fields(["url", "events", "match", "headers"]);
  if (!url) return place.fail("url is missing");
  return {
    url: webAddress(url),
    events: events?.list().map((one) => one.oneOf(webhookActions)) ?? webhookActions,
    match: match?.text() ?? "**",
    headers: Object.fromEntries((headers?.mapping() ?? []).map(([name, value]) => [name, value.text()])),
  };
}

function readMirror(place: Place, path: (place: Place) => string): Mirror {
  const fields = place.fields(["prefix", "upstream", "user", "password-file", "fresh"]);
  const { prefix, upstream, user, fresh, "password-file": passwordFile } = fields;
  if (!upstream) return place.fail("upstream is missing", "For example upstream: https://registry-1.docker.io");
  if ((user === undefined) !== (passwordFile === undefined)) place.fail("user and password-file belong together");
  return {
    prefix: prefix?.text().replace(/\/+$/, "") ?? "",
    upstream: webAddress(upstream),
    ...(user ? { user: user.text() } : {}),
    ...(passwordFile ? { passwordFile: path(passwordFile) } : {}),
    freshMs: fresh ? duration(fresh) : 0,
  };
}

function webAddress(place: Place): string {
  const text = place.read("an address such as https://registry.example", (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    return url && ["http:", "https:"].includes(url.protocol) && url.username === "" ? text : undefined;
  });
  return text.replace(/\/+$/, "");
}

/** Milliseconds of `30s`, `5m`, `24h`, `30d`, `4w`, more than none. */
function duration(place: Place): number {
  return place.read("a duration such as 5m, 24h or 30d", (text) => {
    const match = /^(\d{1,6})([smhdw])$/.exec(text);
    return match && Number(match[1]) > 0 ? Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0) : undefined;
  });
}
