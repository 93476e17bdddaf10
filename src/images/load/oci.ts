import { type Digest, HavreError } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import {
  type Descriptor,
  type Index,
  type Manifest,
  mediaTypes,
  type Platform,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../spec/mod.ts";
import { MAX_DOCUMENT, parseIndex, parseJson, parseManifest } from "../parse.ts";
import { platformFit } from "../platform.ts";
import type { Archive } from "./archive.ts";

const MAX_DEPTH = 8;
const MAX_MANIFESTS = 1000;

/** A manifest found in an OCI layout, with the names its place in index.json gives it. */
export interface FoundManifest {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly index: Descriptor | undefined;
  readonly names: readonly Reference[];
}

/** Reads the index.json of an OCI layout (image-layout.md): for each entry its manifest, of an index the one that fits this machine. */
export class LayoutReader {
  readonly #archive: Archive;
  readonly #content: ContentStore;
  readonly #platform: Platform;
  #read = 0;

  constructor(archive: Archive, content: ContentStore, platform: Platform) {
    this.#archive = archive;
    this.#content = content;
    this.#platform = platform;
  }

  /** Manifests by digest; one that several entries name comes once with all names. */
  async manifests(): Promise<readonly FoundManifest[]> {
    const found = new Map<Digest, FoundManifest>();
    for (const entry of parseIndex(await this.#archive.json("index.json"), "index.json").manifests) {
      const chosen = await this.#choose(entry, undefined, 0);
      if (!chosen) continue;
      const known = found.get(chosen.descriptor.digest);
      const names = [...(known?.names ?? []), ...namesOf(entry)];
      found.set(chosen.descriptor.digest, { ...chosen, names });
    }
    return [...found.values()];
  }

  /** Every image manifest that is here, whatever its platform. */
  async every(): Promise<readonly FoundManifest[]> {
    return this.#every(parseIndex(await this.#archive.json("index.json"), "index.json"), undefined, 0);
  }

  async #every(index: Index, top: Descriptor | undefined, depth: number): Promise<readonly FoundManifest[]> {
    const found: FoundManifest[] = [];
    for (const entry of index.manifests) {
      if (!this.#archive.blob(entry.digest)) continue;
      this.#count(depth);
      if (isIndex(entry)) {
        const inner = parseIndex(await this.#document(entry), `index ${entry.digest}`);
        found.push(...(await this.#every(inner, top ?? entry, depth + 1)));
        continue;
      }
      const manifest = await this.#manifest(entry, top);
      if (manifest) found.push({ ...manifest, names: [] });
    }
    return found;
  }

  async #choose(
    entry: Descriptor,
    index: Descriptor | undefined,
    depth: number,
  ): Promise<Omit<FoundManifest, "names"> | undefined> {
    this.#count(depth);
    if (isIndex(entry)) return this.#chooseFrom(entry, index ?? entry, depth);
    return this.#manifest(entry, index);
  }

  async #manifest(entry: Descriptor, index: Descriptor | undefined): Promise<Omit<FoundManifest, "names"> | undefined> {
    if (entry.mediaType !== mediaTypes.ociManifest && entry.mediaType !== mediaTypes.dockerManifest) return undefined;
    const manifest = parseManifest(await this.#document(entry), `manifest ${entry.digest}`);
    if (!isImage(manifest)) return undefined;
    const { annotations: _annotations, platform: _platform, ...descriptor } = entry;
    return { descriptor, manifest, index };
  }

  async #chooseFrom(
    entry: Descriptor,
    top: Descriptor,
    depth: number,
  ): Promise<Omit<FoundManifest, "names"> | undefined> {
    const index: Index = parseIndex(await this.#document(entry), `index ${entry.digest}`);
    const fits = index.manifests
      .map((item) => ({ item, fit: this.#fit(item) }))
      .filter(({ item, fit }) => fit > 0 && this.#archive.blob(item.digest) !== undefined)
      .sort((a, b) => b.fit - a.fit);
    for (const { item } of fits) {
      const chosen = await this.#choose(item, top, depth + 1);
      if (chosen) return chosen;
    }
    const { os, architecture } = this.#platform;
    const offered = index.manifests.flatMap(({ platform }) =>
      platform ? `${platform.os}/${platform.architecture}` : [],
    );
    throw new HavreError("not-found", `No image for ${os}/${architecture} in index ${entry.digest}`, {
      hint: `It has: ${[...new Set(offered)].join(", ") || "nothing"}`,
    });
  }

  #count(depth: number): void {
    if (depth > MAX_DEPTH)
      throw new HavreError("invalid-argument", `index.json nests deeper than ${MAX_DEPTH} indexes`);
    if (++this.#read > MAX_MANIFESTS) {
      throw new HavreError("resource-exhausted", `The image archive has more than ${MAX_MANIFESTS} manifests`);
    }
  }

  /** A nested index or a manifest without a platform may hold anything: tried last. */
  #fit({ platform }: Descriptor): number {
    return platform ? platformFit(platform, this.#platform) : 0.5;
  }

  async #document(descriptor: Descriptor): Promise<unknown> {
    const blob = this.#archive.blob(descriptor.digest);
    if (!blob) throw new HavreError("invalid-argument", `The image archive lacks blob ${descriptor.digest}`);
    if (blob.size !== descriptor.size) {
      throw new HavreError(
        "data-loss",
        `Blob ${blob.digest} has ${blob.size} bytes, not the ${descriptor.size} promised`,
      );
    }
    return parseJson(await this.#content.read(blob.digest, MAX_DOCUMENT), `blob ${blob.digest}`);
  }
}

function isIndex({ mediaType }: Descriptor): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerManifestList;
}

/** Attestations, signatures and other artifacts have manifests too. */
function isImage({ config }: Manifest): boolean {
  return config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig;
}

/**
 * containerd's annotation is a whole name. The standard one is free text: a whole name as skopeo writes it, or only a
 * tag, which names nothing here.
 */
function namesOf({ annotations }: Descriptor): readonly Reference[] {
  const whole = annotations?.["io.containerd.image.name"];
  const text = whole ?? annotations?.["org.opencontainers.image.ref.name"];
  if (text === undefined || (whole === undefined && !/[:/]/.test(text))) return [];
  const reference = withDefaultTag(parseReference(text));
  return reference.tag === undefined ? [] : [reference];
}
