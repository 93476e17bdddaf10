import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Digest, HavreError, isHavreError } from "../../base/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import type { ClientBlobs } from "../cache/folder-cache.ts";
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
/** Of one message. */
const PIECE = 1024 * 1024;

/** The files by digest that a client offers (containerd's content service). */
export class ClientStore implements ClientBlobs {
  readonly #session: Session;
  readonly #metadata: Readonly<Record<string, string>>;

  constructor(session: Session, folder: string) {
    if (!session.offers(`${SERVICE}/Read`))
      throw new HavreError("failed-precondition", "The client has no store for caches");
    this.#session = session;
    this.#metadata = { [STORE]: `local:${folder}` };
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
