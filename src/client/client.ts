import { AsyncQueue, deferred, type ErrorKind, HavreError } from "../base/mod.ts";
import { errorFromResponse } from "./api-error.ts";
import { HttpConnection } from "./http-connection.ts";
import type { ResponseHead } from "./http-parser.ts";
import type { Transport } from "./transport.ts";

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface RequestOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, chunked; a write waits until the daemon takes it. */
  readonly body?: AsyncIterable<Uint8Array>;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Abort closes the connection, which stops the daemon's work. */
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly head: ResponseHead;
  /** As fast as it is read: the daemon waits for a slow reader. */
  readonly body: AsyncIterable<Uint8Array>;
  text(): Promise<string>;
}

/** Chunks of an answer that may wait for their reader. */
const READ_AHEAD = 64;

/** A connection taken over by the streams of a process (Docker API: attach and exec start). */
export interface Hijacked {
  readonly head: ResponseHead;
  /** Output in order, until the daemon closes. Handed over once, with what has come already. */
  read(onData: (chunk: Uint8Array) => void): Promise<void>;
  write(data: Uint8Array): Promise<void>;
  /** Half-close: the process sees the end of its input, output goes on. */
  endInput(): void;
  close(): void;
}

/** The daemon's HTTP API over an injected transport. One idle connection is kept and used again. */
export class Client {
  readonly #transport: Transport;
  #idle: HttpConnection | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get address(): string {
    return this.#transport.address;
  }

  /** The answer whatever its status; its body must be read or the connection is not used again. */
  async send(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const connection = await this.#connection();
    const queue = new AsyncQueue<Uint8Array>();
    let wanted = true;
    const head = deferred<ResponseHead>();
    const abort = () => connection.close(new HavreError("cancelled", "Cancelled"));
    options.signal?.addEventListener("abort", abort, { once: true });
    const settle = () => {
      options.signal?.removeEventListener("abort", abort);
      connection.resume();
      if (connection.idle && this.#idle === undefined) this.#idle = connection;
    };
    connection.send(
      requestHead(method, path, options),
      {
        head: (value) => head.resolve(value),
        data: (chunk) => {
          queue.push(chunk);
          if (wanted && queue.size >= READ_AHEAD) connection.pause();
        },
        end: () => {
          settle();
          queue.close();
        },
        fail: (error) => {
          settle();
          head.reject(error);
          queue.fail(error);
        },
      },
      method === "HEAD",
    );
    if (options.signal?.aborted) abort();
    if (options.body) await Promise.race([sendBody(connection, options.body), head.promise]);
    const body = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of queue) {
          if (queue.size < READ_AHEAD / 2) connection.resume();
          yield chunk;
        }
      } finally {
        // What nobody reads passes by, so that the connection can be used again.
        wanted = false;
        connection.resume();
      }
    };
    return { head: await head.promise, body: body(), text: () => readText(body()) };
  }

  /** The answer of a successful request; an error status is thrown. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const answer = await this.send(method, path, options);
    if (answer.head.status >= 300) throw errorFromResponse(answer.head.status, await answer.text());
    return answer;
  }

  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const answer = await this.request(method, path, options);
    return JSON.parse(await answer.text()) as T;
  }

  /** For requests whose answer says nothing but yes. Kinds in `accept` are not errors. */
  async run(
    method: string,
    path: string,
    options: RequestOptions & { readonly accept?: readonly ErrorKind[] } = {},
  ): Promise<void> {
    const answer = await this.send(method, path, options);
    const text = await answer.text();
    if (answer.head.status < 300) return;
    const error = errorFromResponse(answer.head.status, text);
    if (!options.accept?.includes(error.kind)) throw error;
  }

  async hijack(method: string, path: string, options: RequestOptions = {}): Promise<Hijacked> {
    const connection = await this.#connection();
    const head = deferred<ResponseHead>();
    const ended = deferred<void>();
    ended.promise.catch(() => {});
    let early: Uint8Array[] = [];
    let deliver = (chunk: Uint8Array): void => void early.push(chunk);
    const headers = { ...options.headers, Connection: "Upgrade", Upgrade: "tcp" };
    connection.send(
      requestHead(method, path, { ...options, headers }),
      {
        head: (value) => head.resolve(value),
        data: (chunk) => deliver(chunk),
        end: () => ended.resolve(),
        fail: (error) => {
          head.reject(error);
          ended.reject(error);
        },
      },
      false,
    );
    const value = await head.promise;
    if (value.status !== 101 && value.status !== 200) {
      await ended.promise;
      throw errorFromResponse(value.status, Buffer.concat(early).toString());
    }
    return {
      head: value,
      read: (onData) => {
        for (const chunk of early) onData(chunk);
        early = [];
        deliver = onData;
        return ended.promise;
      },
      write: (data) => connection.writeBody(data),
      endInput: () => connection.endWrite(),
      close: () => connection.close(),
    };
  }

  /** Opens the connection of the first request: `unavailable` when no daemon is there, `permission-denied` when it may not be asked. */
  async connect(): Promise<void> {
    this.#idle ??= await HttpConnection.open(this.#transport);
  }

  /** Closes the idle connection, if there is one. */
  close(): void {
    this.#idle?.close();
    this.#idle = undefined;
  }

  async #connection(): Promise<HttpConnection> {
    const idle = this.#idle;
    this.#idle = undefined;
    if (idle?.idle) return idle;
    return HttpConnection.open(this.#transport);
  }
}

async function sendBody(connection: HttpConnection, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (chunk.byteLength === 0) continue;
    await connection.writeBody(Buffer.concat([Buffer.from(`${chunk.byteLength.toString(16)}\r\n`), chunk, CRLF]));
  }
  await connection.writeBody(Buffer.from("0\r\n\r\n"));
}
const CRLF = Buffer.from("\r\n");

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function requestHead(method: string, path: string, options: RequestOptions): string {
  const lines = [`${method} ${path}${formatQuery(options.query)} HTTP/1.1`, "Host: havre"];
  for (const [name, value] of Object.entries(options.headers ?? {})) lines.push(`${name}: ${value}`);
  if (options.body) {
    lines.push(`Content-Type: ${options.contentType ?? "application/x-tar"}`, "Transfer-Encoding: chunked", "", "");
    return lines.join("\r\n");
  }
  if (options.json === undefined) {
    if (method === "POST" || method === "PUT") lines.push("Content-Length: 0");
    lines.push("", "");
    return lines.join("\r\n");
  }
  const body = JSON.stringify(options.json);
  lines.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`, "", body);
  return lines.join("\r\n");
}

/** `?a=1&b=2`; undefined values are left out, lists repeat their name, true is 1. */
export function formatQuery(query: Query = {}): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      const text = one === true ? "1" : one === false ? "0" : String(one);
      parts.push(`${name}=${encodeURIComponent(text)}`);
    }
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}
