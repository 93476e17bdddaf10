import { createReadStream } from "node:fs";
import { type Digest, digestOf, HavreError, isDigest } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import type { OutgoingArtifact } from "../../images/mod.ts";
import { type Descriptor, mediaTypes } from "../../spec/mod.ts";
import type { CacheTransport } from "./transport.ts";

const DOCUMENT_LIMIT = 16 * 1024 * 1024;
const READ_SIZE = 1 << 20;

/** Files by digest in a folder of a client, which it reads and writes for us. */
export interface ClientBlobs {
  has(digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** `not-found` when the folder has no such file. */
  read(digest: Digest, signal: AbortSignal): AsyncIterable<Uint8Array>;
  write(blob: Descriptor, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, signal: AbortSignal): Promise<void>;
}

/**
 * A cache in a folder of the client (`type=local`), an OCI layout. `top`: the digest of its manifest; `sent` is told of the one that was
 * written, which the client is to name in its index.
 */
export function folderCache(
  blobs: ClientBlobs,
  content: ContentStore,
  {
    folder,
    top,
    sent = () => {},
  }: { readonly folder: string; readonly top?: string; readonly sent?: (manifest: Descriptor) => void },
): CacheTransport {
  return {
    name: folder,
    manifest: async (signal, digest = top) => {
      if (digest === undefined || !isDigest(digest)) return undefined;
      const bytes = await whole(blobs, digest, signal);
      const { mediaType = mediaTypes.ociManifest } = JSON.parse(Buffer.from(bytes).toString()) as {
        mediaType?: string;
      };
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
    },
    document: (digest, signal) => whole(blobs, digest, signal),
    fetch: async (blob, signal) => {
      if (!content.has(blob.digest)) await content.ingest(blobs.read(blob.digest, signal), blob, signal);
    },
    send: async (artifact, signal) => sent(await sendAll(blobs, content, artifact, signal)),
  };
}

async function sendAll(
  store: ClientBlobs,
  content: ContentStore,
  { blobs, bytes, mediaType }: OutgoingArtifact,
  signal: AbortSignal,
): Promise<Descriptor> {
  for (const { descriptor, bring } of blobs) {
    if (await store.has(descriptor.digest, signal)) continue;
    if (bring && !content.has(descriptor.digest)) await bring(signal);
    const file = createReadStream(content.path(descriptor.digest), { highWaterMark: READ_SIZE });
    await store.write(descriptor, file, signal);
  }
  const manifest = { mediaType, digest: digestOf(bytes), size: bytes.length };
  if (!(await store.has(manifest.digest, signal))) await store.write(manifest, [bytes], signal);
  return manifest;
}

/** `data-loss` when it is not what its digest says, `resource-exhausted` when it is too large for a document. */
async function whole(blobs: ClientBlobs, digest: Digest, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of blobs.read(digest, signal)) {
    parts.push(part);
    size += part.length;
    if (size > DOCUMENT_LIMIT) throw new HavreError("resource-exhausted", `${digest} is too large for a document`);
  }
  const bytes = Buffer.concat(parts);
  if (digestOf(bytes) !== digest) throw new HavreError("data-loss", `Blob ${digest} is not what was promised`);
  return bytes;
}
