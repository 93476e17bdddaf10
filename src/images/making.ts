import { type Digest, HavreError } from "../base/mod.ts";
import { type Descriptor, familiarReference, type ImageConfig, parseReference, withDefaultTag } from "../spec/mod.ts";
import { Assembly, assemble } from "./assembly.ts";
import type { Context } from "./context.ts";
import { imageEvent } from "./events.ts";
import type { Image } from "./images.ts";
import { type ImageObject, imageKind } from "./objects.ts";
import { platformFit } from "./platform.ts";
import { markTagged, pointerTo, recordImage, setTag } from "./record.ts";
import { type SavedImage, writeArchive } from "./save.ts";
import { viewImage } from "./view.ts";

/** A layer that is here, as a tree and as a blob. */
export interface ImageLayer {
  readonly diffId: Digest;
  readonly chainId: Digest;
  readonly blob: Descriptor;
  /** Bytes of its files. */
  readonly size: number;
}

export interface MakeRequest {
  /** Its `rootfs` names the layers. */
  readonly config: ImageConfig;
  /** The lowest first. */
  readonly layers: readonly ImageLayer[];
  /** What to call it: `name[:tag]`. */
  readonly names: readonly string[];
  /** The image it was made from here. */
  readonly parent?: Digest;
}

/** Makes images of layers that are here: what a build ends with. */
export interface ImageMaker {
  /** The layers of an image; one whose tree is missing is made again from its blob. `not-found`. */
  layersOf(id: Digest, signal?: AbortSignal): Promise<readonly ImageLayer[]>;
  /** Whether an image of this id is here. */
  knows(id: Digest): boolean;
  /** Of the manifest of an image, as a registry knows it where one does; undefined: it is not here. */
  digestOf(id: Digest): Digest | undefined;
  /** Makes a layer on `parent` (undefined: the lowest one) of a tar that is still arriving. */
  layerFrom(parent: Digest | undefined, tar: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<ImageLayer>;
  /**
   * Makes an image known under all its names at once; one that is known already gets the names. What it is made of is to
   * be held until this returns (`hold` of content store and snapshotter).
   */
  make(request: MakeRequest): Promise<Image>;
  /**
   * Images, one for each platform, as an archive (an OCI layout, as `save` writes it) while `use` reads it; they do not
   * become known. Returns id and manifest of the first.
   */
  archive(
    requests: readonly MakeRequest[],
    use: (archive: AsyncIterable<Uint8Array>) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<{ readonly id: Digest; readonly manifest: Descriptor }>;
  /** Gives images for several platforms the same names. Returns the one that is for this machine, or the first. */
  nameTogether(names: readonly string[], ids: readonly Digest[]): Promise<Image>;
}

export async function layersOfImage(
  context: Context,
  id: Digest,
  signal?: AbortSignal,
): Promise<readonly ImageLayer[]> {
  const image = context.store.view((tx) => tx.get(imageKind, id));
  if (!image || image.removedAt !== undefined) throw new HavreError("not-found", `No such image: ${id}`);
  const diffIds = image.config.rootfs.diff_ids;
  using assembly = new Assembly(context);
  const layers: ImageLayer[] = [];
  for (const [at, blob] of (image.manifests[0]?.layers ?? []).entries()) {
    layers.push(await assembly.layer(diffIds.slice(0, at + 1), blob, signal));
  }
  return layers;
}

export async function makeImage(context: Context, request: MakeRequest): Promise<Image> {
  const references = request.names.map((name) => withDefaultTag(parseReference(name)));
  const made = await assemble(context, async (assembly) => {
    const sealed = await assembly.seal(request.config, request.layers, "build", request.parent);
    return context.store.update((tx) => {
      const at = context.clock.now();
      // A parent that was removed meanwhile is none.
      const { parent, ...image } = sealed.image;
      const alive = parent !== undefined && isHere(tx.get(imageKind, parent));
      const recorded = recordImage(tx, { ...sealed, image: alive ? { ...image, parent } : image }, at);
      for (const reference of references) setTag(tx, reference, pointerTo(recorded), { at, action: "build" });
      if (references.length > 0) markTagged(tx, recorded.id, at);
      return recorded;
    });
  });
  for (const reference of references) context.emit(imageEvent("tag", made, familiarReference(reference)));
  return context.store.view((tx) => viewImage(tx, tx.get(imageKind, made.id) ?? made));
}

export async function archiveImages(
  context: Context,
  requests: readonly MakeRequest[],
  use: (archive: AsyncIterable<Uint8Array>) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<{ readonly id: Digest; readonly manifest: Descriptor }> {
  using assembly = new Assembly(context);
  const saved: SavedImage[] = [];
  for (const { config, layers, names, parent } of requests) {
    const { image, manifest, layers: sizes } = await assembly.seal(config, layers, "build", parent);
    const unknown: ImageObject = {
      ...image,
      layerSizes: sizes.map(({ size }) => size),
      addedAt: context.clock.now(),
      manifests: [manifest],
    };
    saved.push({ image: unknown, manifest, names: names.map((name) => withDefaultTag(parseReference(name))) });
  }
  const [first] = saved;
  if (!first) throw new HavreError("internal", "There is no image to archive");
  await use(writeArchive(context, saved, signal));
  return { id: first.image.id, manifest: first.manifest.descriptor };
}

/** See `ImageMaker.nameTogether`. Those that are not the first have a `name@digest` of their own. */
export async function nameTogether(context: Context, names: readonly string[], ids: readonly Digest[]): Promise<Image> {
  const references = names.map((name) => withDefaultTag(parseReference(name)));
  const named = await context.store.update((tx) => {
    const at = context.clock.now();
    const images = ids.flatMap((id) => tx.get(imageKind, id) ?? []);
    const fit = ({ config }: ImageObject) => platformFit(config, context.platform);
    const [first, ...others] = images.toSorted((a, b) => fit(b) - fit(a));
    if (!first) throw new HavreError("internal", "There is no image to name");
    for (const reference of references) {
      setTag(tx, reference, { ...pointerTo(first), others: others.map(pointerTo) }, { at, action: "build" });
      for (const other of others) {
        const { domain, path } = reference;
        const to = pointerTo(other);
        setTag(tx, { domain, path, digest: to.manifest }, to, { at, action: "build" });
      }
    }
    if (references.length > 0) markTagged(tx, first.id, at);
    return first;
  });
  for (const reference of references) context.emit(imageEvent("tag", named, familiarReference(reference)));
  return context.store.view((tx) => viewImage(tx, tx.get(imageKind, named.id) ?? named));
}

function isHere(image: ImageObject | undefined): boolean {
  return image !== undefined && image.removedAt === undefined;
}
