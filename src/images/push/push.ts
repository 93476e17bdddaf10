import { type Digest, HavreError, joinAll, Semaphore } from "../../base/mod.ts";
import { type Descriptor, familiarName, familiarReference, parseReference, type Reference } from "../../spec/mod.ts";
import type { ReadTransaction } from "../../store/mod.ts";
import { assemble } from "../assembly.ts";
import type { Context } from "../context.ts";
import type { PushRequest } from "../distribution.ts";
import { imageEvent } from "../events.ts";
import type { OnProgress } from "../images.ts";
import { type ImageObject, imageKind, type StoredManifest, tagKind } from "../objects.ts";
import { LayerProgress } from "../pull/layer-progress.ts";
import { setTag } from "../record.ts";
import type { Registries } from "../registry/registry.ts";
import type { RemoteRepository } from "../registry/remote-repository.ts";
import { findTag, repositoryKey, tagsOfRepository } from "../resolve.ts";
import { Savings } from "../savings.ts";
import { needsIndex, type SentImage, sendIndex, sendReferrers } from "./companions.ts";
import type { Gzip } from "./gzip.ts";
import { compressedLayer, manifestToSend, type Outgoing, withLayers } from "./manifest.ts";
import { RemoteChunks } from "./remote-chunks.ts";
import { sendBlob } from "./send-blob.ts";

/** Docker's default of uploads at a time. */
const AT_ONCE = 5;

export interface Sender {
  readonly context: Context;
  readonly registries: Registries;
  readonly gzip: Gzip;
}

interface Named {
  readonly reference: Reference;
  readonly image: ImageObject;
  readonly manifest: Digest;
}

/** An image under a name, and those for other platforms that the name stands for, too. */
interface NamedImages extends Named {
  readonly others: readonly Named[];
}

/** `docker push`: see `Distribution.push`. */
export async function pushImage(
  sender: Sender,
  { reference, credentials }: PushRequest,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const { context, registries } = sender;
  const named = parseReference(reference);
  if (named.digest !== undefined) throw new HavreError("invalid-argument", "cannot push a digest reference");
  onProgress({ status: `The push refers to repository [${repositoryKey(named)}]` });
  const all = context.store.view((tx) => select(tx, named));
  await registries.withRepository(named, credentials, true, async (repository) => {
    for (const one of all) await pushOne(sender, repository, one, onProgress, signal);
  });
}

/** The tag that was named, or every tag of the repository. `not-found` with Docker's texts. */
function select(tx: ReadTransaction, reference: Reference): readonly NamedImages[] {
  const tags = reference.tag === undefined ? tagsOfRepository(tx, reference) : [findTag(tx, reference)];
  const found = tags.flatMap((tag) => {
    const image = tag?.current && tx.get(imageKind, tag.current.image);
    if (!tag?.current || !image || tag.tag === undefined) return [];
    const full = { ...reference, tag: tag.tag };
    const others = (tag.current.others ?? []).flatMap((other) => {
      const found = tx.get(imageKind, other.image);
      return found ? [{ reference: full, image: found, manifest: other.manifest }] : [];
    });
    return [{ reference: full, image, manifest: tag.current.manifest, others }];
  });
  if (found.length > 0) return found;
  const known = tagsOfRepository(tx, reference).length > 0;
  throw new HavreError(
    "not-found",
    known
      ? `tag does not exist: ${familiarReference(reference)}`
      : `An image does not exist locally with the tag: ${familiarName(reference)}`,
  );
}

async function pushOne(
  sender: Sender,
  repository: RemoteRepository,
  named: NamedImages,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const { context } = sender;
  const { image, reference } = named;
  await assemble(context, async () => {
    const images = [named, ...named.others];
    const indexed = needsIndex(images.map((one) => one.image));
    const sent: SentImage[] = [];
    for (const one of images) {
      const outgoing = await sendImage(sender, repository, one, onProgress, signal);
      const { descriptor } = outgoing.stored;
      const target = indexed ? descriptor.digest : (reference.tag ?? descriptor.digest);
      await repository.putManifest(target, descriptor.mediaType, outgoing.bytes, signal);
      await sendReferrers(context, repository, reference, { image: one.image, stored: outgoing.stored }, signal);
      await record(context, one, outgoing);
      sent.push({ image: one.image, stored: outgoing.stored });
    }
    const [first] = sent;
    if (!first) return;
    const { digest, size } = indexed
      ? await sendIndex(context, repository, reference, sent, signal)
      : first.stored.descriptor;
    onProgress({ status: `${reference.tag}: digest: ${digest} size: ${size}` });
    onProgress({ progressDetail: {}, aux: { Tag: reference.tag, Digest: digest, Size: size } });
  });
  context.emit(imageEvent("push", image, familiarReference(reference)));
}

/** Brings layers and configuration of one image to the registry; its manifest is still to be sent. */
async function sendImage(
  { context, gzip }: Sender,
  repository: RemoteRepository,
  { image, manifest, reference }: Named,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<Outgoing> {
  const now = () => context.clock.now();
  const savings = new Savings();
  const progressOf = (diffId: Digest, total: number) => new LayerProgress(diffId, total, onProgress, now, savings);
  const diffIds = image.config.rootfs.diff_ids;
  for (const diffId of diffIds.toReversed()) progressOf(diffId, 0).status("Preparing");
  const chosen = manifestToSend(image, manifest);
  const slots = new Semaphore(AT_ONCE);
  const sources = context.store.view((tx) => otherRepositories(tx, reference));
  const chunks = new RemoteChunks(context, repository, reference);
  const layers = await joinAll(
    chosen.layers.map(
      (plain, at) => (stop) =>
        slots.run(async () => {
          const diffId = diffIds[at] ?? plain.digest;
          const compression = progressOf(diffId, plain.size);
          const compressing = (current: number) => compression.compressing(current);
          const layer = await compressedLayer(context, gzip, plain, diffId, compressing, stop);
          const progress = progressOf(diffId, layer.size);
          const elsewhere = { mountFrom: sources.get(layer.digest), chunks };
          progress.status(await sendBlob(context, repository, layer, elsewhere, progress, stop));
          return layer;
        }),
    ),
    signal,
  );
  const config: Descriptor = { mediaType: "", digest: image.id, size: image.configSize };
  await sendBlob(context, repository, config, undefined, undefined, signal);
  savings.tell(onProgress, "sent");
  return withLayers(context, chosen, layers);
}

/** By blob: another repository of the same registry that it came from or went to, to be mounted from there. */
function otherRepositories(tx: ReadTransaction, { domain, path }: Reference): ReadonlyMap<Digest, string> {
  const sources = new Map<Digest, string>();
  for (const tag of tx.list(tagKind)) {
    if (tag.digest === undefined || !tag.current || !tag.repository.startsWith(`${domain}/`)) continue;
    const other = tag.repository.slice(domain.length + 1);
    const { current } = tag;
    const manifest = tx
      .get(imageKind, current.image)
      ?.manifests.find(({ descriptor }) => descriptor.digest === current.manifest);
    if (other !== path) for (const { digest } of manifest?.layers ?? []) sources.set(digest, other);
  }
  return sources;
}

/** The image now has the manifest that was sent, and the name its digest has at the registry. */
async function record({ store, clock }: Context, { reference, image }: Named, { stored }: Outgoing): Promise<void> {
  await store.update((tx) => {
    const known = tx.get(imageKind, image.id);
    if (!known) return; // Removed meanwhile: the registry has it all the same.
    const others = known.manifests.filter(({ descriptor }) => descriptor.digest !== stored.descriptor.digest);
    const manifests: readonly StoredManifest[] = [stored, ...others];
    tx.put(imageKind, { ...known, manifests });
    const to = { image: image.id, manifest: stored.descriptor.digest };
    const change = { at: clock.now(), action: "push" as const };
    const named = findTag(tx, reference)?.current;
    if (named?.image === image.id) setTag(tx, reference, { ...named, ...to }, change);
    const { domain, path } = reference;
    setTag(tx, { domain, path, digest: stored.descriptor.digest }, to, change);
  });
}
