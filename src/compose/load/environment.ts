import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { HavreError } from "../../base/mod.ts";
import type { Service } from "../schema/service.ts";
import { parseDotenv, parseRawEnv } from "../source/dotenv.ts";
import { readSource } from "./files.ts";

/** Variables a file may use; those set outside go before those of `.env` files. */
export type Environment = ReadonlyMap<string, string>;

export function outerEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  return new Map(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Adds what `.env` files say; a later file goes before an earlier. `not-found` when a file that was named is missing. */
export function withEnvFiles(outer: Environment, files: readonly string[]): Environment {
  const added = new Map<string, string>();
  for (const path of files) {
    if (!existsSync(path)) throw new HavreError("not-found", `Couldn't find env file: ${path}`, { exitStatus: 1 });
    const { text } = readSource(path, path);
    for (const [name, value] of parseDotenv(path, text, (key) => outer.get(key) ?? added.get(key)))
      if (!/^\d/.test(name)) added.set(name, value);
  }
  return new Map([...added, ...outer]);
}

/** `.env` of a folder, where there is one. */
export function defaultEnvFile(folder: string): string[] {
  const path = resolve(folder, ".env");
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? [path] : [];
}

/** A service's variables: its `env_file`s in order, then `environment`, where a key alone takes the outer value. */
export function serviceEnvironment(
  service: Service,
  outer: Environment,
): Readonly<Record<string, string | null>> | undefined {
  const result = new Map<string, string | null>();
  for (const { path = "", required = true, format } of service.env_file ?? []) {
    if (!existsSync(path)) {
      if (!required) continue;
      throw new HavreError("not-found", `env file ${path} not found: stat ${path}: no such file or directory`, {
        hint: "Create it, or write required: false beside its path",
      });
    }
    const { text } = readSource(path, path);
    const lookup = (name: string) => result.get(name) ?? outer.get(name);
    if (format !== undefined && format !== "raw" && format !== "")
      throw new HavreError("invalid-argument", `env file ${path}: unknown format ${JSON.stringify(format)}`, {
        hint: "Formats: raw, or none for Compose's own",
      });
    const values = format === "raw" ? parseRawEnv(text, lookup) : parseDotenv(path, text, lookup);
    for (const [name, value] of values) result.set(name, value);
  }
  for (const [name, value] of Object.entries(service.environment ?? {}))
    result.set(name, value ?? outer.get(name) ?? null);
  return service.environment || result.size > 0 ? Object.fromEntries(result) : undefined;
}

/** A service's labels, with those of its `label_file`s before them. */
export function serviceLabels(service: Service): Readonly<Record<string, string>> | undefined {
  if (!service.label_file?.length) return service.labels;
  const fromFiles = service.label_file.flatMap((path) => [
    ...parseDotenv(path, readSource(path, path).text, () => undefined),
  ]);
  return { ...Object.fromEntries(fromFiles), ...service.labels };
}
