import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { errnoOf, HavreError } from "../../base/mod.ts";

/** One sign-in as Docker's configuration file keeps it; `auth` is base64 of `name:password`. */
export interface StoredAuth {
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** What is read of Docker's configuration file (`~/.docker/config.json`); the rest is kept when it is written. */
export interface DockerConfig {
  readonly auths?: Readonly<Record<string, StoredAuth>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** Where it is: in `$DOCKER_CONFIG`, else below the home folder, so that sign-ins of docker and of havre are the same. */
export function configPath(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.DOCKER_CONFIG || join(env.HOME || homedir(), ".docker"), "config.json");
}

/** Empty when there is none. `invalid-argument` naming a file that cannot be read as one. */
export function readConfig(path: string): DockerConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return {};
    throw error;
  }
  if (text.trim() === "") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as DockerConfig;
  } catch {
    // Told below.
  }
  throw new HavreError("invalid-argument", `${path} is not a JSON object`, { hint: "Mend it or move it away" });
}

/** Replaces the file as a whole: passwords are in it, so only its owner reads it, and a cut write loses nothing. */
export function writeConfig(path: string, config: DockerConfig): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, `${JSON.stringify(config, null, "\t")}\n`, { mode: 0o600 });
  renameSync(beside, path);
}
