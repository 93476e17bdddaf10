import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, HavreError } from "../../base/mod.ts";

/** What TLS with one host needs beyond the system's own certificate authorities. */
export interface TlsMaterial {
  readonly ca: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Certificates of a registry, as Docker keeps them: `<folder>/<host[:port]>/` with `*.crt` (authorities) and pairs of
 * `NAME.cert` and `NAME.key`. `failed-precondition` for half a pair.
 */
export function readCertificates(folders: readonly string[], host: string): TlsMaterial | undefined {
  const material: { ca: string[]; cert?: string; key?: string } = { ca: [] };
  let found = false;
  for (const folder of folders.map((one) => join(one, host))) {
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      if (name.endsWith(".crt")) material.ca.push(readFileSync(path, "utf8"));
      else if (name.endsWith(".cert") && material.cert === undefined) {
        const keyPath = path.replace(/\.cert$/, ".key");
        material.cert = readFileSync(path, "utf8");
        material.key = readKey(keyPath, path);
      } else continue;
      found = true;
    }
  }
  return found ? material : undefined;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return [];
    throw error;
  }
}

function readKey(path: string, certificate: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new HavreError("failed-precondition", `missing key ${path} for client certificate ${certificate}`, { cause });
  }
}
