import { type Digest, HavreError } from "../../base/mod.ts";
import { familiarReference, type Reference } from "../../spec/mod.ts";
import type { WriteTransaction } from "../../store/mod.ts";
import { type AssembledLayer, type Assembly, assemble } from "../assembly.ts";
import type { Context } from "../context.ts";
import { imageEvent } from "../events.ts";
import { isNextStep } from "../history.ts";
import type { OnProgress } from "../images.ts";
import { type ImageObject, imageKind } from "../objects.ts";
import { MAX_DOCUMENT, parseConfig, parseJson } from "../parse.ts";
import { markTagged, type NewImage, pointerTo, recordImage, setTag } from "../record.ts";
import { Archive } from "./archive.ts";
import { planDockerArchive } from "./docker.ts";
import { planLegacyArchive } from "./legacy.ts";
import { LayoutReader } from "./oci.ts";
import type { PlannedImage } from "./plan.ts";

const SHORT = 12;

/**
 * `docker load`: every image of a Docker archive (any version) or an OCI layout in a tar, as it came. Either all its
 * images are known afterwards, or none.
 */
export async function loadArchive(
  context: Context,
  source: AsyncIterable<Uint8Array>,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const loaded = await assemble(context, async (assembly) => {
    const archive = await Archive.read(context.content, source, signal);
    const plans = await plan(context, archive);
    const made: { readonly image: NewImage; readonly plan: PlannedImage }[] = [];
    for (const planned of plans) made.push({ plan: planned, image: await make(assembly, planned, onProgress, signal) });
    signal?.throwIfAborted();
    return context.store.update((tx) => {
      const at = context.clock.now();
      const known = made.map(({ image, plan }) => ({ plan, image: recordImage(tx, image, at) }));
      const loaded = known.map((one) => record(tx, at, one, known));
      for (const { image, plan } of made) linkParent(tx, image.image.id, plan.parent);
      return loaded;
    });
  });
  // What the archive had and no image uses: other platforms, old forms.
  await context.keeper.collect();
  report(context, loaded, onProgress);
}

async function plan(context: Context, archive: Archive): Promise<readonly PlannedImage[]> {
  const { content, platform } = context;
  if (archive.find("manifest.json")) return planDockerArchive(archive, content, platform);
  if (archive.find("index.json")) return planLayout(context, archive);
  if (archive.find("repositories")) return planLegacyArchive(archive, content);
  throw new HavreError(
    "invalid-argument",
    "The archive has neither manifest.json nor index.json: it is not an image archive",
    {
      hint: "A root file system's tar is taken by: havre import",
    },
  );
}

async function planLayout({ content, platform }: Context, archive: Archive): Promise<readonly PlannedImage[]> {
  const images: PlannedImage[] = [];
  for (const { descriptor, manifest, index, names } of await new LayoutReader(archive, content, platform).manifests()) {
    const what = `configuration ${manifest.config.digest}`;
    const blob = (digest: Digest) => archive.blob(digest) ?? missing(digest);
    const configBlob = blob(manifest.config.digest);
    for (const layer of manifest.layers) {
      const { size } = blob(layer.digest);
      if (size !== layer.size) {
        throw new HavreError(
          "data-loss",
          `Layer ${layer.digest} has ${size} bytes, not the ${layer.size} its manifest says`,
        );
      }
    }
    images.push({
      config: parseConfig(parseJson(await content.read(configBlob.digest, MAX_DOCUMENT), what), what),
      configBlob,
      layers: manifest.layers,
      names,
      parent: undefined,
      manifest: { descriptor, layers: manifest.layers, ...(index === undefined ? {} : { index }) },
    });
  }
  if (images.length === 0) throw new HavreError("invalid-argument", "The OCI layout has no image in its index.json");
  return images;
}

function missing(digest: Digest): never {
  throw new HavreError("invalid-argument", `The image archive lacks blob ${digest}`);
}

async function make(
  assembly: Assembly,
  { config, configBlob, layers, manifest }: PlannedImage,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<NewImage> {
  if (config.os !== "linux") throw new HavreError("invalid-argument", `cannot load ${config.os} image on linux`);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== layers.length) {
    throw new HavreError(
      "invalid-argument",
      `invalid manifest, layers length mismatch: expected ${layers.length}, got ${diffIds.length}`,
    );
  }
  const made: AssembledLayer[] = [];
  for (const [at, blob] of layers.entries()) {
    const id = diffIds[at]?.slice("sha256:".length, "sha256:".length + SHORT) ?? "";
    made.push(
      await assembly.layer(diffIds.slice(0, at + 1), blob, signal, (current) =>
        onProgress({ status: "Loading layer", id, progressDetail: { current, total: blob.size } }),
      ),
    );
  }
  return assembly.describe(config, configBlob.digest, configBlob.size, made, "load", undefined, manifest);
}

interface Loaded {
  readonly image: ImageObject;
  readonly names: readonly { readonly reference: Reference; readonly replaced: Digest | undefined }[];
  /** Known by the name of another. */
  readonly beside: boolean;
}

interface Known {
  readonly plan: PlannedImage;
  readonly image: ImageObject;
}

/** Believes a parent only when it is here and the image is one step more. */
function linkParent(tx: WriteTransaction, id: Digest, parentId: Digest | undefined): void {
  const image = tx.get(imageKind, id);
  const parent = parentId === undefined ? undefined : tx.get(imageKind, parentId);
  if (!image || !parent || image.parent !== undefined) return;
  if (isNextStep(image, parent)) tx.put(imageKind, { ...image, parent: parent.id });
}

/** An image that has no name and stands in the index of one that has is the same for another platform. */
function isBeside({ plan }: Known, among: readonly Known[]): boolean {
  const index = plan.manifest?.index?.digest;
  return (
    index !== undefined &&
    plan.names.length === 0 &&
    among.some((one) => one.plan.names.length > 0 && one.plan.manifest?.index?.digest === index)
  );
}

function record(tx: WriteTransaction, at: number, one: Known, among: readonly Known[]): Loaded {
  const { image, plan } = one;
  const others = among
    .filter((other) => other !== one && isBeside(other, [one]) && other.image.id !== image.id)
    .map((other) => pointerTo(other.image));
  const to = { ...pointerTo(image), ...(others.length === 0 ? {} : { others }) };
  const tagged = plan.names.map((reference) => {
    const before = setTag(tx, reference, to, { at, action: "load" });
    const { domain, path } = reference;
    for (const other of others) setTag(tx, { domain, path, digest: other.manifest }, other, { at, action: "load" });
    return { reference, replaced: before?.image === image.id ? undefined : before?.image };
  });
  if (tagged.length > 0) markTagged(tx, image.id, at);
  return { image, names: tagged, beside: isBeside(one, among) };
}

function report(context: Context, loaded: readonly Loaded[], onProgress: OnProgress): void {
  for (const { image, names } of loaded) {
    for (const { reference, replaced } of names) {
      const name = familiarReference(reference);
      if (replaced !== undefined) {
        onProgress({
          stream: `The image ${name} already exists, renaming the old one with ID ${replaced} to empty string\n`,
        });
      }
      onProgress({ stream: `Loaded image: ${name}\n` });
    }
    context.emit(imageEvent("load", image));
  }
  // As Docker: ids are shown only when the last image came without a name.
  const alone = loaded.filter(({ beside }) => !beside);
  if (alone.at(-1)?.names.length === 0) {
    for (const { image } of alone) onProgress({ stream: `Loaded image ID: ${image.id}\n` });
  }
}
