import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HavreError } from "../../../../base/mod.ts";
import { parseReference, withDefaultTag } from "../../../../spec/mod.ts";
import type { Wanted } from "./git-file.ts";
import { COMPOSE_FILE, type Manifest, Repository } from "./registry-client.ts";

/**
 * Path of the copy of a Compose project that a registry has (`oci://NAME:TAG`): its files, one document after another.
 * Errors: `not-found`; `invalid-argument` for what is no Compose project; `unavailable`, `permission-denied`, `data-loss`.
 */
export async function fetchOciFile({ address, cache, env, onFetch }: Wanted): Promise<string> {
  const { domain, path, tag, digest } = withDefaultTag(parseReference(address.replace(/^oci:\/\//i, "")));
  const repository = await Repository.open(domain, path, env);
  const manifest = await repository.manifest(digest ?? tag ?? "latest");
  const folder = join(cache, manifest.digest.replace(/^sha256:/, ""));
  const file = join(folder, "compose.yaml");
  if (existsSync(file)) return file;
  onFetch();
  const documents: string[] = [];
  for (const layer of layersOf(manifest.content, address))
    documents.push(Buffer.from(await repository.blob(layer)).toString("utf8"));
  mkdirSync(cache, { recursive: true });
  const beside = mkdtempSync(join(cache, "new-"));
  try {
    writeFileSync(join(beside, "compose.yaml"), documents.join("\n---\n"));
    if (!existsSync(folder)) renameSync(beside, folder);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
  return file;
}

function layersOf(content: Uint8Array, address: string): Manifest["layers"] {
  let parsed: Partial<Manifest> = {};
  try {
    parsed = JSON.parse(Buffer.from(content).toString("utf8"));
  } catch {
    // Told below.
  }
  const layers = (Array.isArray(parsed.layers) ? parsed.layers : []).filter(
    (layer) => layer?.mediaType === COMPOSE_FILE && typeof layer.digest === "string",
  );
  if (layers.length === 0) throw new HavreError("invalid-argument", `${address} is no Compose project`);
  return layers;
}
