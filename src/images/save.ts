import { type Digest, digestOf, HavreError, isDigest } from "../base/mod.ts";
import { type TarMember, writeTar } from "../snapshots/mod.ts";
import {
  type Descriptor,
  familiarName,
  familiarReference,
  formatReference,
  mediaTypes,
  parseReference,
  type Reference,
} from "../spec/mod.ts";
import type { ReadTransaction } from "../store/mod.ts";
import type { Context } from "./context.ts";
import { imageEvent } from "./events.ts";
import { isNextStep } from "./history.ts";
import { blobsOf } from "./keeper.ts";
import { type ImageObject, imageKind, type StoredManifest, tagKind } from "./objects.ts";
import { resolveImage, tagKey, tagsOfRepository } from "./resolve.ts";
import { createdAt } from "./view.ts";

export interface SavedImage {
  readonly image: ImageObject;
  readonly manifest: StoredManifest;
  readonly names: readonly Reference[];
  /** Names of others beside which it stands, for another platform. */
  readonly beside?: readonly Reference[];
}

/**
 * `docker save`: an OCI layout with Docker's manifest.json and `repositories` beside it, as Docker 26 writes it. Manifests,
 * configurations and layers are the bytes that came, so their digests stay. The same images give the same bytes.
 * Names are resolved when it is called: `not-found` comes before the first byte.
 */
export function saveImages(
  context: Context,
  names: readonly string[],
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  const saved = context.store.view((tx) => selectSaved(tx, names));
  for (const { image } of saved) {
    if (image.chain.length === 0) throw new HavreError("not-implemented", "empty export - not implemented");
  }
  return writeSaved(context, saved, signal);
}

async function* writeSaved(
  context: Context,
  saved: readonly SavedImage[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  yield* writeArchive(context, saved, signal);
  for (const { image } of saved) context.emit(imageEvent("save", image));
}

/** The archive of images whose blobs are all here, known to the store or not. */
export async function* writeArchive(
  context: Context,
  saved: readonly SavedImage[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  using _hold = context.content.hold();
  for await (const chunk of writeTar(membersOf(context, saved))) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

/** What each word means: a repository (all its tags), a tag, an id. An image named twice is saved once with both names. */
function selectSaved(tx: ReadTransaction, names: readonly string[]): readonly SavedImage[] {
  const selected = new Map<Digest, SavedImage>();
  const add = (image: ImageObject, manifest: Digest | undefined, name: Reference | undefined, beside?: Reference) => {
    const known = selected.get(image.id);
    const stored = image.manifests.find(({ descriptor }) => descriptor.digest === manifest) ?? image.manifests[0];
    if (!stored) throw new HavreError("internal", `Image ${image.id} has no manifest`);
    const all = known?.names ?? [];
    const isNew = name !== undefined && !all.some((other) => formatReference(other) === formatReference(name));
    const places = [...(known?.beside ?? []), ...(beside ? [beside] : [])];
    const kept = { image, manifest: known?.manifest ?? stored, names: isNew ? [...all, name] : all };
    selected.set(image.id, { ...kept, ...(places.length === 0 ? {} : { beside: places }) });
  };
  for (const name of names) {
    const tags = namedTags(tx, name);
    for (const { current, id, tag } of tags) {
      if (!current) continue;
      const reference = tag === undefined ? undefined : parseReference(id);
      add(resolveImage(tx, current.image), current.manifest, reference);
      for (const other of current.others ?? []) {
        const image = tx.get(imageKind, other.image);
        if (image && image.removedAt === undefined) add(image, other.manifest, undefined, reference);
      }
    }
    if (tags.length === 0) add(resolveImage(tx, name), undefined, undefined);
  }
  return [...selected.values()];
}

function namedTags(tx: ReadTransaction, name: string) {
  if (isDigest(name) || /^[0-9a-f]{64}$/.test(name)) return [];
  const reference = parseReference(name);
  if (reference.tag !== undefined || reference.digest !== undefined) {
    const tag = tx.get(tagKind, tagKey(reference));
    return tag?.current ? [tag] : [];
  }
  return tagsOfRepository(tx, reference);
}

async function* membersOf({ content }: Context, saved: readonly SavedImage[]): AsyncGenerator<TarMember> {
  const blobs = new Map<Digest, { readonly size: number; readonly mtime: bigint }>();
  for (const { image } of saved) {
    const mtime = BigInt(Math.floor((createdAt(image) ?? 0) / 1000)) * 1_000_000_000n;
    for (const digest of blobsOf(image)) {
      const info = content.info(digest);
      if (!info) throw new HavreError("data-loss", `Image ${image.id} lacks blob ${digest}`);
      if (!blobs.has(digest)) blobs.set(digest, { size: info.size, mtime });
    }
  }
  const indexes = new Map(saved.flatMap(({ names }) => names).flatMap((name) => indexOf(name, saved)));
  const made = new Map([...indexes.values()].map((bytes) => [digestOf(bytes), bytes]));
  // Of images that were loaded they are here already: where they stand does not tell.
  for (const digest of made.keys()) blobs.delete(digest);
  yield { header: { path: "blobs/", type: "directory" } };
  yield { header: { path: "blobs/sha256/", type: "directory" } };
  for (const [digest, { size, mtime }] of [...blobs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    yield { header: { path: blobPath(digest), size, mtime }, body: content.stream(digest) };
  }
  for (const [digest, bytes] of made) yield text(blobPath(digest), bytes);
  yield document("index.json", {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: saved.flatMap((one) => indexEntries(one, hasSeveralPlatforms(saved), indexes)),
  });
  yield document(
    "manifest.json",
    saved.map((item) => dockerItem(item, saved)),
    "\n",
  );
  yield text("oci-layout", '{"imageLayoutVersion": "1.0.0"}');
  const repositories = legacyRepositories(saved);
  if (Object.keys(repositories).length > 0) yield document("repositories", repositories, "\n");
}

function document(path: string, value: unknown, end = ""): TarMember {
  return text(path, JSON.stringify(value) + end);
}

function text(path: string, content: string): TarMember {
  const body = Buffer.from(content);
  return { header: { path, size: body.length }, body };
}

function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function hasSeveralPlatforms(saved: readonly SavedImage[]): boolean {
  return new Set(saved.map(({ image: { config } }) => `${config.os}/${config.architecture}`)).size > 1;
}

/** The index of a name that stands for several platforms, by the name; none of a name that stands for one. */
function indexOf(name: Reference, saved: readonly SavedImage[]): readonly (readonly [string, string])[] {
  const called = formatReference(name);
  const has = (names: readonly Reference[] = []) => names.some((one) => formatReference(one) === called);
  const others = saved.filter(({ beside }) => has(beside));
  if (others.length === 0) return [];
  const manifests = [...saved.filter(({ names }) => has(names)), ...others].map((one) => manifestEntry(one, true));
  return [[called, JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests })]];
}

function manifestEntry({ image, manifest }: SavedImage, withPlatform: boolean): Descriptor {
  const { mediaType, digest, size } = manifest.descriptor;
  const { os, architecture, variant } = image.config;
  const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
  return { mediaType, digest, size, ...(withPlatform ? { platform } : {}) };
}

function indexEntries(
  one: SavedImage,
  withPlatform: boolean,
  indexes: ReadonlyMap<string, string>,
): readonly Descriptor[] {
  const { names, beside } = one;
  const plain = manifestEntry(one, withPlatform);
  if (names.length === 0) return beside ? [] : [plain];
  const index = (name: Reference): Descriptor | undefined => {
    const bytes = indexes.get(formatReference(name));
    return bytes === undefined
      ? undefined
      : { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: Buffer.byteLength(bytes) };
  };
  return names.map((name) => ({
    ...(index(name) ?? plain),
    annotations: {
      "io.containerd.image.name": formatReference(name),
      "org.opencontainers.image.ref.name": name.tag ?? "",
    },
  }));
}

function dockerItem({ image, manifest, names }: SavedImage, saved: readonly SavedImage[]): unknown {
  const diffIds = image.config.rootfs.diff_ids;
  // A compressed layer must not stand here: Docker takes the entry for the unpacked tar's own.
  const sources = manifest.layers.flatMap((layer, at) =>
    layer.digest === diffIds[at] ? [[layer.digest, inDockersOrder(layer)]] : [],
  );
  return {
    Config: blobPath(image.id),
    RepoTags: names.length === 0 ? null : names.map(familiarReference),
    Layers: manifest.layers.map((layer) => blobPath(layer.digest)),
    ...(saved.some(({ image: other }) => other.id === image.parent && isNextStep(image, other))
      ? { Parent: image.parent }
      : {}),
    ...(sources.length === 0 ? {} : { LayerSources: Object.fromEntries(sources) }),
  };
}

function inDockersOrder({ mediaType, size, digest }: Descriptor): Descriptor {
  return { mediaType, size, digest };
}

/** For readers from before manifest.json: name → tag → top layer. */
function legacyRepositories(saved: readonly SavedImage[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { manifest, names } of saved) {
    for (const name of names) {
      const top = manifest.layers.at(-1)?.digest ?? "";
      const tags = repositories[familiarName(name)] ?? {};
      repositories[familiarName(name)] = { ...tags, [name.tag ?? ""]: top.slice(top.indexOf(":") + 1) };
    }
  }
  return repositories;
}
