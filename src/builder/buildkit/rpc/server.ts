import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
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
import { CODE, RpcError, toRpcError, trailersOf } from "./status.ts";

/** A call as its handler sees it. */
export interface ServerCall {
  readonly metadata: IncomingHttpHeaders;
  readonly messages: AsyncIterable<Uint8Array>;
  send(message: Uint8Array): Promise<void>;
  /** Aborted when the client gives the call up. */
  readonly signal: AbortSignal;
}

export type Handler = (call: ServerCall) => Promise<void>;
export type Handlers = ReadonlyMap<string, Handler>;

/** A call of one message with one answer. */
export function unary<I extends DescMessage, O extends DescMessage>(
  input: I,
  output: O,
  answer: (request: MessageShape<I>, call: ServerCall) => Promise<MessageInitShape<O>>,
): Handler {
  return async (call) => {
    const response = create(output, await answer(await only(input, call), call));
    await call.send(toBinary(output, response));
  };
}

/** A call of one message with many answers. */
export function streaming<I extends DescMessage, O extends DescMessage>(
  input: I,
  output: O,
  answer: (request: MessageShape<I>, call: ServerCall) => AsyncIterable<MessageInitShape<O>>,
): Handler {
  return async (call) => {
    for await (const response of answer(await only(input, call), call)) {
      await call.send(toBinary(output, create(output, response)));
    }
  };
}

async function only<I extends DescMessage>(input: I, { messages }: ServerCall): Promise<MessageShape<I>> {
  for await (const message of messages) return fromBinary(input, message);
  throw new RpcError(CODE.invalidArgument, "The call came without its message");
}

/** Answers gRPC calls on connections that are handed over (gRPC over HTTP/2). */
export class RpcServer {
  readonly #server: Http2Server;

  constructor(handlers: Handlers) {
    this.#server = createServer();
    this.#server.on("stream", (stream, headers) => {
      this.#answer(handlers, stream as ServerHttp2Stream, headers).catch(() => stream.destroy());
    });
    this.#server.on("sessionError", () => {});
  }

  /** Resolves when the connection is over. */
  async serve(socket: Duplex): Promise<void> {
    const over = new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
    });
    socket.on("error", () => socket.destroy());
    this.#server.emit("connection", socket);
    await over;
  }

  async #answer(handlers: Handlers, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const control = new AbortController();
    let finished = false;
    stream.on("error", () => {});
    stream.once("close", () => {
      if (!finished) control.abort(new HavreError("cancelled", "The client gave the call up"));
    });
    let error = new RpcError(CODE.ok, "");
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers(trailersOf(error)));
    const path = String(headers[":path"]);
    try {
      const handler = handlers.get(path);
      if (handler === undefined) throw new RpcError(CODE.unimplemented, `unknown method ${path}`);
      await handler({
        metadata: headers,
        // Who reads one message only must not end the call with it.
        messages: messagesOf(stream.iterator({ destroyOnReturn: false })),
        send: (message) => sendMessage(stream, message),
        signal: control.signal,
      });
    } catch (thrown) {
      error = toRpcError(thrown);
    }
    finished = true;
    if (!stream.destroyed) stream.end();
  }
}
