import { createReadStream } from "node:fs";
import { Digester, HavreError } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import { type HistoryEntry, type ImageConfig, parseReference, type Reference } from "../../spec/mod.ts";
import { decompress } from "../compression.ts";
import { object, parseConfig, text } from "../parse.ts";
import type { Archive } from "./archive.ts";
import { describeLayer } from "./docker.ts";
import type { PlannedImage } from "./plan.ts";

const MAX_PARENTS = 1000;
/** What the old form's json says about itself and a configuration does not have. */
const DROPPED = new Set(["id", "parent", "Size", "parent_id", "layer_id", "throwaway"]);

/**
 * Archives from before Docker 1.10: a folder per layer with `json` and `layer.tar`, joined by `parent`, and
 * `repositories` with the names. The configurations are made here, as Docker makes them.
 */
export async function planLegacyArchive(archive: Archive, content: ContentStore): Promise<readonly PlannedImage[]> {
  const repositories = object(await archive.json("repositories"), "repositories");
  const names = new Map<string, Reference[]>();
  for (const [repository, tags] of Object.entries(repositories)) {
    for (const [tag, id] of Object.entries(object(tags, `repositories: ${repository}`))) {
      const target = text(id, `repositories: ${repository}:${tag}`);
      names.set(target, [...(names.get(target) ?? []), parseReference(`${repository}:${tag}`)]);
    }
  }
  const images: PlannedImage[] = [];
  for (const [id, references] of names) images.push(await planImage(archive, content, id, references));
  return images;
}

async function planImage(
  archive: Archive,
  content: ContentStore,
  id: string,
  names: readonly Reference[],
): Promise<PlannedImage> {
  const documents: Readonly<Record<string, unknown>>[] = [];
  const ids: string[] = [];
  for (let at: unknown = id; typeof at === "string" && at !== ""; at = documents[0]?.parent) {
    if (ids.length >= MAX_PARENTS || ids.includes(at)) {
      throw new HavreError("invalid-argument", `The parents of ${id} in the image archive have no end`);
    }
    if (at.includes("/")) throw new HavreError("invalid-argument", `invalid target ID: ${at}`);
    ids.unshift(at);
    documents.unshift(object(await archive.json(`${at}/json`), `${at}/json`));
  }
  const layers = ids.map((layer) => describeLayer(archive, content, `${layer}/layer.tar`));
  const diffIds = [];
  for (const layer of layers) {
    const digester = new Digester();
    for await (const chunk of decompress(createReadStream(content.path(layer.digest)))) digester.update(chunk);
    diffIds.push(digester.digest());
  }
  const top = documents.at(-1) ?? {};
  const kept = Object.fromEntries(Object.entries(top).filter(([key]) => !DROPPED.has(key)));
  const bytes = Buffer.from(
    JSON.stringify({
      ...kept,
      history: documents.map(historyOf),
      rootfs: { type: "layers", diff_ids: diffIds },
    }),
  );
  const config: ImageConfig = parseConfig(JSON.parse(bytes.toString()), `${id}/json`);
  return { config, configBlob: await content.put(bytes), layers, names, parent: undefined, manifest: undefined };
}

function historyOf(document: Readonly<Record<string, unknown>>): HistoryEntry {
  const string = (name: string): string => {
    const value = document[name];
    return typeof value === "string" ? value : "";
  };
  const container = document.container_config;
  const command = typeof container === "object" && container !== null && "Cmd" in container ? container.Cmd : undefined;
  const created_by = Array.isArray(command) ? command.join(" ") : "";
  return {
    ...(string("created") === "" ? {} : { created: string("created") }),
    ...(created_by === "" ? {} : { created_by }),
    ...(string("author") === "" ? {} : { author: string("author") }),
    ...(string("comment") === "" ? {} : { comment: string("comment") }),
  };
}
