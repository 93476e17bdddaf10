import type { Digest } from "../../base/mod.ts";
import type { Artifacts, OutgoingArtifact, RemoteManifest, RemotePlace } from "../../images/mod.ts";
import { type Descriptor, parseReference } from "../../spec/mod.ts";

/** Where a cache is kept between builds. Blobs come into the content store and are sent from there; who calls holds them. */
export interface CacheTransport {
  /** For people. */
  readonly name: string;
  /** The one it is known by, or another by its digest; undefined: there is none. */
  manifest(signal: AbortSignal, digest?: Digest): Promise<RemoteManifest | undefined>;
  /** A small blob, without keeping it. */
  document(digest: Digest, signal: AbortSignal): Promise<Uint8Array>;
  fetch(blob: Descriptor, signal: AbortSignal): Promise<void>;
  send(artifact: OutgoingArtifact, signal: AbortSignal): Promise<void>;
}

/** A cache at a registry. */
export function registryCache(artifacts: Artifacts, place: RemotePlace): CacheTransport {
  return {
    name: place.reference,
    manifest: (signal, digest) =>
      artifacts.manifest(digest === undefined ? place : { ...place, reference: `${nameOf(place)}@${digest}` }, signal),
    document: (digest, signal) => artifacts.document(place, digest, signal),
    fetch: (blob, signal) => artifacts.fetch(place, blob, signal),
    send: (artifact, signal) => artifacts.send(place, artifact, () => {}, signal),
  };
}

function nameOf({ reference }: RemotePlace): string {
  const { domain, path } = parseReference(reference);
  return `${domain}/${path}`;
}
