import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { HavreError } from "../../../base/mod.ts";
import { messagesOf, sendMessage } from "./messages.ts";
import { errorOf } from "./status.ts";

/** A call that is under way. */
export interface ClientCall extends AsyncDisposable {
  /** Ends with the error the other side answers with. */
  readonly messages: AsyncIterable<Uint8Array>;
  send(message: Uint8Array): Promise<void>;
  /** Nothing more will be sent. */
  end(): void;
}

type Trailers = Readonly<Record<string, unknown>>;

/** Calls the gRPC services of whoever sits at the other end of a connection. */
export class RpcClient {
  readonly #session: ClientHttp2Session;
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>;

  constructor(socket: Duplex) {
    socket.on("error", () => socket.destroy());
    this.#session = connect("http://localhost", {
      createConnection: () => socket,
      settings: { initialWindowSize: 4 * 1024 * 1024, enablePush: false },
    });
    this.#session.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", () => resolve());
    });
  }

  close(): void {
    this.#session.destroy();
  }

  /** `metadata`: further headers; a list goes as several. `unavailable` when the connection is over. */
  call(path: string, metadata: OutgoingHttpHeaders, signal: AbortSignal): ClientCall {
    if (this.#session.destroyed) throw gone();
    const stream = this.#session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...metadata,
    });
    const { promise: trailers, resolve: ended } = Promise.withResolvers<Trailers | undefined>();
    stream.on("error", () => {});
    stream.once("response", (headers) => {
      // An answer without messages has its trailers among the headers.
      if (headers["grpc-status"] !== undefined) ended(headers);
    });
    stream.once("trailers", ended);
    const cancel = () => stream.destroy();
    signal.addEventListener("abort", cancel, { once: true });
    stream.once("close", () => {
      signal.removeEventListener("abort", cancel);
      ended(undefined);
    });
    return {
      messages: checked(stream, trailers, signal),
      send: (message) => sendMessage(stream, message),
      end: () => stream.end(),
      async [Symbol.asyncDispose]() {
        if (!stream.closed) stream.destroy();
      },
    };
  }

  /** One message, one answer. */
  async ask<I extends DescMessage, O extends DescMessage>(
    path: string,
    input: I,
    request: MessageInitShape<I>,
    output: O,
    signal: AbortSignal,
    metadata: OutgoingHttpHeaders = {},
  ): Promise<MessageShape<O>> {
    await using call = this.call(path, metadata, signal);
    await call.send(toBinary(input, create(input, request)));
    call.end();
    let answer: MessageShape<O> | undefined;
    for await (const message of call.messages) answer = fromBinary(output, message);
    if (answer === undefined) throw new HavreError("unavailable", "The client gave no answer");
    return answer;
  }
}

async function* checked(
  stream: ClientHttp2Stream,
  trailers: Promise<Trailers | undefined>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let broken: unknown;
  try {
    yield* messagesOf(stream);
  } catch (error) {
    if (error instanceof HavreError) throw error;
    // Who answers before it has read everything resets the stream behind its trailers: these say how it went.
    broken = error;
  }
  signal.throwIfAborted();
  const end = await trailers;
  if (end === undefined) throw gone(broken);
  const error = errorOf(end);
  if (error) throw error;
}

function gone(cause?: unknown): HavreError {
  return new HavreError("unavailable", "The client of the build has gone", { cause });
}
