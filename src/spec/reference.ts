import { type Digest, HavreError, isDigest } from "../base/mod.ts";

/**
 * An image reference in full: `domain/path[:tag][@digest]`
 * (distribution's reference grammar; short names mean Docker Hub, as everywhere in the field).
 */
export interface Reference {
  /** Registry host with port, `docker.io` for short names. */
  readonly domain: string;
  /** Path within the registry; `library/…` for official short names. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DEFAULT_DOMAIN = "docker.io";
const OFFICIAL_PREFIX = "library/";
/** Longest repository name, domain included (distribution/reference). */
const NAME_LIMIT = 255;

function invalid(text: string, why = "invalid reference format"): HavreError {
  return new HavreError("invalid-argument", why, {
    hint: `${JSON.stringify(text)} should look like [registry/]name[:tag][@digest]`,
  });
}

function splitDomain(name: string): [domain: string, path: string] {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = first !== "" && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const [domain, path] = isHost ? [first, name.slice(slash + 1)] : [DEFAULT_DOMAIN, name];
  if (domain === "index.docker.io") return [DEFAULT_DOMAIN, withOfficialPrefix(path)];
  return [domain, domain === DEFAULT_DOMAIN ? withOfficialPrefix(path) : path];
}

function withOfficialPrefix(path: string): string {
  return path.includes("/") ? path : OFFICIAL_PREFIX + path;
}

/**
 * Parses a reference as people write it. Nothing is defaulted but the domain and `library/`: see `withDefaultTag`.
 * `invalid-argument` with Docker's wording when it is malformed, has upper case in the path, or is a bare 64-digit id.
 */
export function parseReference(text: string): Reference {
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw invalid(text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const name = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text);
  const [domain, path] = splitDomain(name);
  if (path !== path.toLowerCase()) {
    throw invalid(text, `invalid reference format: repository name (${path}) must be lowercase`);
  }
  if (!DOMAIN.test(domain) || !path.split("/").every((component) => PATH_COMPONENT.test(component)))
    throw invalid(text);
  if (domain.length + 1 + path.length > NAME_LIMIT)
    throw invalid(text, `repository name must not be more than ${NAME_LIMIT} characters`);
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The reference with tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

/** `docker.io/library/debian:12`: the canonical form, used as a key. */
export function formatReference(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

/** `debian`: the repository as shown to people. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return `${reference.domain}/${reference.path}`;
  const official =
    reference.path.startsWith(OFFICIAL_PREFIX) && !reference.path.slice(OFFICIAL_PREFIX.length).includes("/");
  return official ? reference.path.slice(OFFICIAL_PREFIX.length) : reference.path;
}

/** `debian:12`: the reference as shown to people. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}
