import { type Digest, digestOf, HavreError } from "../../base/mod.ts";
import {
  type Descriptor,
  type Index,
  type Manifest,
  mediaTypes,
  type Platform,
  type Reference,
} from "../../spec/mod.ts";
import { type Attestation, artifactType, STATEMENT, statement } from "../attestations.ts";
import type { Context } from "../context.ts";
import type { ImageObject, StoredManifest } from "../objects.ts";
import { parseIndex, parseJson } from "../parse.ts";
import type { RemoteRepository } from "../registry/remote-repository.ts";
import { sendBlob } from "./send-blob.ts";

const EMPTY = { mediaType: "application/vnd.oci.empty.v1+json", bytes: Buffer.from("{}") };
const PREDICATE = "in-toto.io/predicate-type";

/** An image whose manifest is at the registry, with what is said about it. */
export interface SentImage {
  readonly image: ImageObject;
  readonly stored: StoredManifest;
}

/** Whether an image stands in an index of its name: with others for other platforms, or with what is said about it. */
export function needsIndex(images: readonly ImageObject[]): boolean {
  return images.length > 1 || images.some(({ attestations = [] }) => attestations.some(({ inIndex }) => inIndex));
}

/** The index of images for several platforms, what is said about each beside it (BuildKit, docs/attestations). */
export async function sendIndex(
  context: Context,
  repository: RemoteRepository,
  reference: Reference,
  sent: readonly SentImage[],
  signal?: AbortSignal,
): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  const said: Descriptor[] = [];
  for (const one of sent) {
    const platform = platformOf(one.image);
    manifests.push({ ...one.stored.descriptor, platform });
    const inIndex = (one.image.attestations ?? []).filter((attestation) => attestation.inIndex);
    if (inIndex.length > 0) said.push(await sendAttestations(context, repository, reference, one, inIndex, signal));
  }
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...manifests, ...said] };
  const bytes = Buffer.from(JSON.stringify(index));
  const digest = digestOf(bytes);
  await repository.putManifest(reference.tag ?? digest, mediaTypes.ociIndex, bytes, signal);
  return { mediaType: mediaTypes.ociIndex, digest, size: bytes.length };
}

/** BuildKit's attestation manifest: looks like an image for no platform, its layers are statements. */
async function sendAttestations(
  context: Context,
  repository: RemoteRepository,
  reference: Reference,
  { image, stored }: SentImage,
  attestations: readonly Attestation[],
  signal?: AbortSignal,
): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  for (const attestation of attestations) {
    const bytes = await statementOf(context, attestation, reference, { image, stored });
    const annotations = { [PREDICATE]: attestation.predicateType };
    layers.push({ ...(await put(context, repository, STATEMENT, bytes, signal)), annotations });
  }
  const config = {
    architecture: "unknown",
    os: "unknown",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
  };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: await put(context, repository, mediaTypes.ociConfig, Buffer.from(JSON.stringify(config)), signal),
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  await repository.putManifest(digest, mediaTypes.ociManifest, bytes, signal);
  return {
    mediaType: mediaTypes.ociManifest,
    digest,
    size: bytes.length,
    annotations: {
      "vnd.docker.reference.digest": stored.descriptor.digest,
      "vnd.docker.reference.type": "attestation-manifest",
    },
    platform: { architecture: "unknown", os: "unknown" },
  };
}

/** What is said about an image, each an artifact that refers to its manifest (OCI distribution 1.1, § Referrers). */
export async function sendReferrers(
  context: Context,
  repository: RemoteRepository,
  reference: Reference,
  sent: SentImage,
  signal?: AbortSignal,
): Promise<void> {
  for (const attestation of sent.image.attestations ?? []) {
    const type = artifactType(attestation.predicateType);
    const bytes =
      type === STATEMENT
        ? await statementOf(context, attestation, reference, sent)
        : await context.content.read(attestation.document.digest, attestation.document.size);
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: type,
      config: await put(context, repository, EMPTY.mediaType, EMPTY.bytes, signal),
      layers: [await put(context, repository, type, bytes, signal)],
      subject: sent.stored.descriptor,
      annotations: { [PREDICATE]: attestation.predicateType },
    };
    const body = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(body);
    const subject = await repository.putManifest(digest, mediaTypes.ociManifest, body, signal);
    const { annotations = {} } = manifest;
    const entry = { mediaType: mediaTypes.ociManifest, digest, size: body.length, artifactType: type, annotations };
    if (!subject) await addToFallback(repository, sent.stored.descriptor.digest, entry, signal);
  }
}

/** A registry from before 1.1 keeps no referrers: they are listed in an index under a tag made of the digest. */
async function addToFallback(
  repository: RemoteRepository,
  subject: Digest,
  entry: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  const known = await referrersByTag(repository, subject, signal);
  if (known.some(({ digest }) => digest === entry.digest)) return;
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...known, entry] };
  await repository.putManifest(fallbackTag(subject), mediaTypes.ociIndex, Buffer.from(JSON.stringify(index)), signal);
}

async function referrersByTag(
  repository: RemoteRepository,
  subject: Digest,
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  try {
    const { bytes } = await repository.manifest(fallbackTag(subject), signal);
    return parseIndex(parseJson(bytes, "The referrers"), "referrers").manifests;
  } catch (error) {
    if (error instanceof HavreError && error.kind === "not-found") return [];
    throw error;
  }
}

/** What refers to a manifest at a registry, whether that keeps referrers or not. */
export async function referrersOf(
  repository: RemoteRepository,
  subject: Digest,
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  const bytes = await repository.referrers(subject, signal);
  if (!bytes) return referrersByTag(repository, subject, signal);
  return parseIndex(parseJson(bytes, "The referrers"), "referrers").manifests;
}

function fallbackTag(subject: Digest): string {
  return subject.replace(":", "-");
}

async function statementOf(
  { content }: Context,
  { predicateType, document }: Attestation,
  reference: Reference,
  { image, stored }: SentImage,
): Promise<Uint8Array> {
  const predicate: unknown = JSON.parse(Buffer.from(await content.read(document.digest, document.size)).toString());
  const subject = { reference, platform: platformOf(image), digest: stored.descriptor.digest };
  return Buffer.from(JSON.stringify(statement(predicateType, predicate, subject)));
}

function platformOf({ config: { os, architecture, variant } }: ImageObject): Platform {
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

async function put(
  context: Context,
  repository: RemoteRepository,
  mediaType: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<Descriptor> {
  const { digest, size } = await context.content.put(bytes);
  await sendBlob(context, repository, { mediaType, digest, size }, undefined, undefined, signal);
  return { mediaType, digest, size };
}
