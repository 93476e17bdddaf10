import { type Digest, isHavreError } from "../base/mod.ts";
import { type Descriptor, parseReference, type Reference, withDefaultTag } from "../spec/mod.ts";
import type { Context } from "./context.ts";
import type { OnProgress } from "./images.ts";
import type { ImageLayer } from "./making.ts";
import { MAX_DOCUMENT } from "./parse.ts";
import type { Downloads } from "./pull/downloads.ts";
import { LayerProgress } from "./pull/layer-progress.ts";
import type { Gzip } from "./push/gzip.ts";
import { compressedLayer } from "./push/manifest.ts";
import { sendBlob } from "./push/send-blob.ts";
import type { Credentials } from "./registry/credentials.ts";
import type { Registries } from "./registry/registry.ts";
import type { RemoteManifest } from "./registry/remote-repository.ts";

/** Where something at a registry is, and who asks for it. */
export interface RemotePlace {
  /** A repository with tag or digest. */
  readonly reference: string;
  readonly credentials: Credentials;
}

/** A manifest that is to be sent with what it names. */
export interface OutgoingArtifact {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly blobs: readonly OutgoingBlob[];
}

export interface OutgoingBlob {
  readonly descriptor: Descriptor;
  /** Sees to it that the blob is in the content store; asked when the registry lacks it. */
  bring?(signal: AbortSignal): Promise<void>;
}

/** What registries hold beside images: caches of builds. Blobs are in the content store, held by who calls. */
export interface Artifacts {
  /** What a name stands for; undefined: nothing. */
  manifest(place: RemotePlace, signal: AbortSignal): Promise<RemoteManifest | undefined>;
  /** A small blob, verified, without keeping it. */
  document(place: RemotePlace, digest: Digest, signal: AbortSignal): Promise<Uint8Array>;
  /** Brings a blob into the content store. */
  fetch(place: RemotePlace, blob: Descriptor, signal: AbortSignal): Promise<void>;
  /** Sends what the registry lacks, the manifest at last. */
  send(place: RemotePlace, artifact: OutgoingArtifact, progress: OnProgress, signal: AbortSignal): Promise<void>;
  /** A layer's blob as registries have it, compressed. */
  compressed(layer: ImageLayer, signal: AbortSignal): Promise<Descriptor>;
  /** Compresses a stream into the content store. */
  compress(
    bytes: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly size: number }>;
}

export class RemoteArtifacts implements Artifacts {
  readonly #context: Context;
  readonly #registries: Registries;
  readonly #downloads: Downloads;
  readonly #gzip: Gzip;

  constructor(context: Context, registries: Registries, downloads: Downloads, gzip: Gzip) {
    this.#context = context;
    this.#registries = registries;
    this.#downloads = downloads;
    this.#gzip = gzip;
  }

  async manifest(place: RemotePlace, signal: AbortSignal): Promise<RemoteManifest | undefined> {
    const reference = referenceOf(place);
    try {
      return await this.#registries.withRepository(reference, place.credentials, false, (repository) =>
        repository.manifest(targetOf(reference), signal),
      );
    } catch (error) {
      if (isHavreError(error, "not-found")) return undefined;
      throw error;
    }
  }

  document(place: RemotePlace, digest: Digest, signal: AbortSignal): Promise<Uint8Array> {
    return this.#registries.withRepository(referenceOf(place), place.credentials, false, (repository) =>
      repository.smallBlob({ digest }, MAX_DOCUMENT, signal),
    );
  }

  fetch(place: RemotePlace, blob: Descriptor, signal: AbortSignal): Promise<void> {
    const listener = { waiting: () => {}, progress: () => {}, verifying: () => {}, reused: () => {} };
    return this.#registries.withRepository(referenceOf(place), place.credentials, false, (repository) =>
      this.#downloads.fetch(repository, blob, listener, signal),
    );
  }

  async send(
    place: RemotePlace,
    { mediaType, bytes, blobs }: OutgoingArtifact,
    progress: OnProgress,
    signal: AbortSignal,
  ): Promise<void> {
    const reference = referenceOf(place);
    const now = () => this.#context.clock.now();
    await this.#registries.withRepository(reference, place.credentials, true, async (repository) => {
      for (const { descriptor, bring } of blobs) {
        const layer = new LayerProgress(descriptor.digest, descriptor.size, progress, now);
        if (await repository.hasBlob(descriptor.digest, signal)) {
          layer.status("Layer already exists");
          continue;
        }
        if (bring && !this.#context.content.has(descriptor.digest)) await bring(signal);
        layer.status(await sendBlob(this.#context, repository, descriptor, undefined, layer, signal));
      }
      await repository.putManifest(targetOf(reference), mediaType, bytes, signal);
    });
  }

  compressed(layer: ImageLayer, signal: AbortSignal): Promise<Descriptor> {
    return compressedLayer(this.#context, this.#gzip, layer.blob, layer.diffId, () => {}, signal);
  }

  compress(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    return this.#context.content.ingest(this.#gzip.stream(bytes), undefined, signal);
  }
}

function referenceOf({ reference }: RemotePlace): Reference {
  return withDefaultTag(parseReference(reference));
}

function targetOf({ digest, tag }: Reference): string {
  return digest ?? tag ?? "latest";
}
