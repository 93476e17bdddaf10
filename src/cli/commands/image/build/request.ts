import { existsSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { HavreError } from "../../../../base/mod.ts";
import { IgnoreMatcher, parseReference, readIgnoreFile } from "../../../../spec/mod.ts";
import { SignIns } from "../../../credentials/sign-ins.ts";
import type { PackedFolder } from "../../container/copy/tar-writer.ts";

/** A Dockerfile and where it is: in the context, or its text where it is elsewhere. */
export interface GivenDockerfile {
  readonly name: string;
  readonly text: string;
  readonly inContext: boolean;
}

/** Finds the Dockerfile of a build as docker does: `-f`, else `Dockerfile` in the context. `not-found`. */
export function findDockerfile(context: string, given: string): GivenDockerfile {
  if (given === "-") return { name: "Dockerfile", text: readFileSync(0, "utf8"), inContext: false };
  const path = given === "" ? resolve(context, "Dockerfile") : resolve(given);
  const found = [path, ...(given === "" ? [resolve(context, "dockerfile")] : [resolve(context, given)])].find((one) =>
    existsSync(one),
  );
  if (found === undefined) {
    throw new HavreError(
      "not-found",
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${path}: no such file or directory`,
      {
        hint: "Name another file: -f FILE",
      },
    );
  }
  const name = relative(context, found);
  return {
    name: name.startsWith("..") ? found : name,
    text: readFileSync(found, "utf8"),
    inContext: !name.startsWith(".."),
  };
}

/** What of a folder is a build's context: not what its `.dockerignore` leaves out. */
export function contextFilter(folder: string, dockerfile: string): PackedFolder["keeps"] {
  const ignore = [...(dockerfile === "" ? [] : [`${dockerfile}.dockerignore`]), ".dockerignore"]
    .map((one) => resolve(folder, one))
    .find((one) => existsSync(one));
  const matcher = new IgnoreMatcher(ignore === undefined ? [] : readIgnoreFile(readFileSync(ignore, "utf8")));
  return (path, isFolder) => {
    // The builder needs them, whatever they say of themselves.
    if (path === dockerfile || path.endsWith(".dockerignore") || dockerfile.startsWith(`${path}/`)) return true;
    return !matcher.ignores(path) || (isFolder && matcher.hasExceptions);
  };
}

/** `KEY=value`; a bare `KEY` takes the value of the environment, or is left out. */
export function keyValues(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const word of words) {
    const at = word.indexOf("=");
    const [key, value] = at < 0 ? [word, env[word]] : [word.slice(0, at), word.slice(at + 1)];
    if (value !== undefined) values[key] = value;
  }
  return values;
}

/** `--secret id=…,src=FILE` or `id=…,env=NAME`, or `id=NAME` alone: a variable or a file of that name. Values as base64. */
export function readSecrets(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const word of words) {
    const fields = new Map(word.split(",").map((field) => pair(field)));
    const id = fields.get("id");
    if (id === undefined || id === "") throw new HavreError("invalid-argument", `--secret ${word}: there is no id`);
    const file = fields.get("src") ?? fields.get("source");
    const name = fields.get("env") ?? (file === undefined && env[id] !== undefined ? id : undefined);
    const value = name === undefined ? readFileSync(file ?? id) : Buffer.from(env[name] ?? "");
    secrets[id] = value.toString("base64");
  }
  return secrets;
}

/** Where a cache is, and what is said of it. */
export interface CacheOption {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** `type=registry,ref=…,mode=…`, or only a name at a registry. */
export function cacheOption(text: string): CacheOption {
  if (!text.includes("=")) return { type: "registry", attributes: { ref: text } };
  const { type, ...attributes } = Object.fromEntries(text.split(",").map((field) => pair(field)));
  if (type === undefined) throw new HavreError("invalid-argument", `type required form> ${JSON.stringify(text)}`);
  return { type, attributes };
}

export function pair(field: string): [string, string] {
  const at = field.indexOf("=");
  return at < 0 ? [field, ""] : [field.slice(0, at).trim(), field.slice(at + 1)];
}

/** What is known for the registries that a Dockerfile names, as the header `X-Registry-Config`. */
export async function registryHeaders(
  env: Readonly<Record<string, string | undefined>>,
  dockerfile: string,
): Promise<Readonly<Record<string, string>>> {
  const named = [...dockerfile.matchAll(/^\s*FROM\s+(?:--\S+\s+)*(\S+)|--from=([^\s,]+)/gim)];
  const domains = new Set(["docker.io", ...named.flatMap(([, base, from]) => domainOf(base ?? from ?? ""))]);
  const signIns = new SignIns(env);
  const known: Record<string, object> = {};
  for (const domain of domains) {
    const auth = await signIns.find(domain);
    if (auth) known[domain === "docker.io" ? "https://index.docker.io/v1/" : domain] = auth;
  }
  return Object.keys(known).length === 0
    ? {}
    : { "X-Registry-Config": Buffer.from(JSON.stringify(known)).toString("base64url") };
}

/** None for what holds variables or is no image. */
function domainOf(name: string): readonly string[] {
  try {
    return [parseReference(name).domain];
  } catch {
    return [];
  }
}
