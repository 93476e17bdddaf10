import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { HavreError } from "../../base/mod.ts";
import { errorAnswer } from "./errors.ts";
import type { Exchange } from "./exchange.ts";

/** Answers with one JSON value. */
export function sendJson({ response }: Pick<Exchange, "response">, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": body.length });
  response.end(body);
}

/** Answers without a body. */
export function sendStatus({ response }: Pick<Exchange, "response">, status: number): void {
  response.writeHead(status, status === 204 || status === 304 ? {} : { "Content-Length": 0 });
  response.end();
}

export function errorBody(error: unknown): { readonly status: number; readonly json: string } {
  const { status, message, hint } = errorAnswer(error);
  return { status, json: `${JSON.stringify(hint === undefined ? { message } : { message, hint })}\n` };
}

/** Answers with an error, if nothing was answered yet; else the connection is cut, which is all that can still be said. */
export function sendError(exchange: Pick<Exchange, "response">, error: unknown): void {
  const { response } = exchange;
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy();
    return;
  }
  const { status, json } = errorBody(error);
  if (status === 304) {
    sendStatus(exchange, 304);
    return;
  }
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(json) });
  response.end(json);
}

/** Sends headers now, so that the client knows that the daemon listens before anything happens. */
export function startStream({ response }: Pick<Exchange, "response">, contentType: string): void {
  response.writeHead(200, { "Content-Type": contentType });
  response.flushHeaders();
}

/** Writes and waits until more may be written; `cancelled` when the client went away. */
export async function write(response: ServerResponse, data: Uint8Array | string, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new HavreError("cancelled", "The client went away");
  if (response.write(data)) return;
  try {
    await once(response, "drain", { signal });
  } catch (cause) {
    throw new HavreError("cancelled", "The client went away", { cause });
  }
}

/** Sends bytes as they come, at the client's speed. */
export async function sendStream(
  exchange: Exchange,
  contentType: string,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { response, signal } = exchange;
  const iterator = source[Symbol.asyncIterator]();
  try {
    // The first piece is awaited before the headers, so that what fails at once is answered with its status.
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      if (!response.headersSent) response.writeHead(200, { "Content-Type": contentType });
      await write(response, next.value, signal);
    }
    if (!response.headersSent) response.writeHead(200, { "Content-Type": contentType });
    response.end();
  } finally {
    await iterator.return?.();
  }
}

/** The lines of JSON that Docker's long operations answer with. */
export class ProgressStream {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get started(): boolean {
    return this.#exchange.response.headersSent;
  }

  start(): void {
    const { response } = this.#exchange;
    if (!response.headersSent) response.writeHead(200, { "Content-Type": "application/json" });
  }

  send(value: unknown): void {
    const { response, signal } = this.#exchange;
    if (signal.aborted) return;
    this.start();
    response.write(`${JSON.stringify(value)}\r\n`);
  }

  /** Ends the stream; a failure after the first line is told in the stream, as Docker does. */
  fail(error: unknown): void {
    if (!this.started) throw error;
    this.tell(error);
  }

  /** Ends the stream with a failure told in it, for operations whose status is always 200. */
  tell(error: unknown): void {
    const { message } = errorAnswer(error);
    this.send({ errorDetail: { message }, error: message });
    this.end();
  }

  end(): void {
    this.start();
    this.#exchange.response.end();
  }
}
