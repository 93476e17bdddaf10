import { createReadStream } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf, HavreError, isDigest, isHavreError } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import type { OutgoingArtifact } from "../../images/mod.ts";
import { type Descriptor, mediaTypes } from "../../spec/mod.ts";
import type { CacheTransport } from "../cache/transport.ts";
import type { Session } from "./session.ts";
import {
  InfoRequestSchema,
  InfoResponseSchema,
  ReadContentRequestSchema,
  ReadContentResponseSchema,
  WriteAction,
  WriteContentRequestSchema,
  WriteContentResponseSchema,
} from "./wire/content.ts";

const SERVICE = "/containerd.services.content.v1.Content";
const STORE = "buildkit-attachable-store-id";
const DOCUMENT_LIMIT = 16 * 1024 * 1024;
/** Of one message. */
const PIECE = 1024 * 1024;

/**
 * A cache in a folder of the client (`type=local`): an OCI layout whose blobs it reads and writes for us. `top`: the digest of its
 * manifest; `sent` is told of the one that was written, which the client is to name in its index.
 */
export function clientCache(
  session: Session,
  content: ContentStore,
  {
    folder,
    top,
    sent = () => {},
  }: { readonly folder: string; readonly top?: string; readonly sent?: (manifest: Descriptor) => void },
): CacheTransport {
  const store = new ClientStore(session, `local:${folder}`);
  return {
    name: folder,
    manifest: async (signal, digest = top) => {
      if (digest === undefined || !isDigest(digest)) return undefined;
      const bytes = await store.whole(digest, signal);
      const { mediaType = mediaTypes.ociManifest } = JSON.parse(Buffer.from(bytes).toString()) as {
        mediaType?: string;
      };
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
    },
    document: (digest, signal) => store.whole(digest, signal),
    fetch: async (blob, signal) => {
      if (!content.has(blob.digest)) await content.ingest(store.read(blob.digest, signal), blob, signal);
    },
    send: async (artifact, signal) => {
      const manifest = await sendAll(store, content, artifact, signal);
      sent(manifest);
    },
  };
}

async function sendAll(
  store: ClientStore,
  content: ContentStore,
  { blobs, bytes, mediaType }: OutgoingArtifact,
  signal: AbortSignal,
): Promise<Descriptor> {
  for (const { descriptor, bring } of blobs) {
    if (await store.has(descriptor.digest, signal)) continue;
    if (bring && !content.has(descriptor.digest)) await bring(signal);
    const file = createReadStream(content.path(descriptor.digest), { highWaterMark: PIECE });
    await store.write(descriptor, file, signal);
  }
  const manifest = { mediaType, digest: digestOf(bytes), size: bytes.length };
  if (!(await store.has(manifest.digest, signal))) await store.write(manifest, [bytes], signal);
  return manifest;
}

/** The files by digest that a client offers (containerd's content service). */
class ClientStore {
  readonly #session: Session;
  readonly #metadata: Readonly<Record<string, string>>;

  constructor(session: Session, id: string) {
    if (!session.offers(`${SERVICE}/Read`))
      throw new HavreError("failed-precondition", "The client has no store for caches");
    this.#session = session;
    this.#metadata = { [STORE]: id };
  }

  async has(digest: Digest, signal: AbortSignal): Promise<boolean> {
    try {
      const { rpc } = this.#session;
      await rpc.ask(`${SERVICE}/Info`, InfoRequestSchema, { digest }, InfoResponseSchema, signal, this.#metadata);
      return true;
    } catch (error) {
      if (isHavreError(error, "not-found")) return false;
      throw error;
    }
  }

  async *read(digest: Digest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    await using call = this.#session.rpc.call(`${SERVICE}/Read`, this.#metadata, signal);
    await call.send(toBinary(ReadContentRequestSchema, create(ReadContentRequestSchema, { digest })));
    call.end();
    for await (const message of call.messages) yield fromBinary(ReadContentResponseSchema, message).data;
  }

  /** `data-loss` when it is not what its digest says, `resource-exhausted` when it is too large for a document. */
  async whole(digest: Digest, signal: AbortSignal): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of this.read(digest, signal)) {
      parts.push(part);
      size += part.length;
      if (size > DOCUMENT_LIMIT) throw new HavreError("resource-exhausted", `${digest} is too large for a document`);
    }
    const bytes = Buffer.concat(parts);
    if (digestOf(bytes) !== digest) throw new HavreError("data-loss", `Blob ${digest} is not what was promised`);
    return bytes;
  }

  async write(
    { digest, size }: Descriptor,
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    await using call = this.#session.rpc.call(`${SERVICE}/Write`, this.#metadata, signal);
    const answers = call.messages[Symbol.asyncIterator]();
    const total = BigInt(size);
    const say = async (action: WriteAction, offset: number, data: Uint8Array) => {
      const message = { action, ref: `havre-${digest}`, total, expected: digest, offset: BigInt(offset), data };
      await call.send(toBinary(WriteContentRequestSchema, create(WriteContentRequestSchema, message)));
      // Who answers the last message before it has read our end resets the stream, and the answer may be lost.
      if (action === WriteAction.COMMIT) call.end();
      const { done, value } = await answers.next();
      if (done) throw new HavreError("unavailable", "The client stopped taking the cache");
      return fromBinary(WriteContentResponseSchema, value);
    };
    const NOTHING = new Uint8Array();
    // What an interrupted build wrote before is there already.
    const { offset: begun } = await say(WriteAction.STAT, 0, NOTHING);
    let skip = Number(begun);
    let at = skip;
    for await (const chunk of bytes) {
      const fresh = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - fresh.length;
      for (let done = 0; done < fresh.length; done += PIECE) {
        const piece = new Uint8Array(fresh.subarray(done, done + PIECE));
        await say(WriteAction.WRITE, at, piece);
        at += piece.length;
      }
    }
    await say(WriteAction.COMMIT, at, NOTHING);
    for (let next = await answers.next(); !next.done; next = await answers.next());
  }
}
