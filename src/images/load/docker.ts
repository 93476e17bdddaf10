import { closeSync, openSync, readSync } from "node:fs";
import { HavreError } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import { type Descriptor, mediaTypes, type Platform, parseReference, type Reference } from "../../spec/mod.ts";
import { type Compression, detectCompression } from "../compression.ts";
import { MAX_DOCUMENT, parseConfig, parseDockerManifest, parseJson } from "../parse.ts";
import type { Archive } from "./archive.ts";
import { type FoundManifest, LayoutReader } from "./oci.ts";
import type { PlannedImage } from "./plan.ts";

const LAYER_TYPES: Readonly<Record<Compression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
  // No media type names these: as Docker does, the bytes are looked at when they are read.
  bzip2: mediaTypes.ociLayer,
  xz: mediaTypes.ociLayer,
};

/** The images of a Docker archive: manifest.json, and beside it (Docker 25 and later) the OCI manifests they came with. */
export async function planDockerArchive(
  archive: Archive,
  content: ContentStore,
  platform: Platform,
): Promise<readonly PlannedImage[]> {
  const items = parseDockerManifest(await archive.json("manifest.json"));
  const received = archive.find("index.json") ? await new LayoutReader(archive, content, platform).every() : [];
  const images: PlannedImage[] = [];
  for (const item of items) {
    const configBlob = archive.file(item.config);
    const layers = item.layers.map((name) => describeLayer(archive, content, name));
    const found = received.find((candidate) => isManifestOf(candidate, configBlob.digest, layers));
    images.push({
      config: parseConfig(parseJson(await content.read(configBlob.digest, MAX_DOCUMENT), item.config), item.config),
      configBlob,
      layers,
      names: item.repoTags.map(parseTag),
      parent: item.parent,
      manifest: found && {
        descriptor: found.descriptor,
        layers: found.manifest.layers,
        ...(found.index === undefined ? {} : { index: found.index }),
      },
    });
  }
  return images;
}

function isManifestOf({ manifest }: FoundManifest, config: string, layers: readonly Descriptor[]): boolean {
  return (
    manifest.config.digest === config &&
    manifest.layers.length === layers.length &&
    manifest.layers.every((layer, at) => layer.digest === layers[at]?.digest)
  );
}

export function describeLayer(archive: Archive, content: ContentStore, name: string): Descriptor {
  const blob = archive.file(name);
  const head = Buffer.alloc(8);
  const file = openSync(content.path(blob.digest), "r");
  try {
    const length = readSync(file, head, 0, head.length, 0);
    return { mediaType: LAYER_TYPES[detectCompression(head.subarray(0, length))], ...blob };
  } finally {
    closeSync(file);
  }
}

function parseTag(text: string): Reference {
  const reference = parseReference(text);
  if (reference.tag === undefined) throw new HavreError("invalid-argument", `invalid tag ${JSON.stringify(text)}`);
  return reference;
}
