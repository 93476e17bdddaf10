import { HavreError } from "../base/mod.ts";

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Where one response goes, in order: head, data …, then end or fail. */
export interface ResponseSink {
  head(head: ResponseHead): void;
  data(chunk: Uint8Array): void;
  end(): void;
  fail(error: HavreError): void;
}

export interface Expectation {
  readonly sink: ResponseSink;
  /** A HEAD request: the response has no body whatever its headers say. */
  readonly headOnly: boolean;
}

const HEAD_LIMIT = 64 * 1024;
const EMPTY = new Uint8Array(0);

type State =
  | { at: "head" }
  | { at: "length"; left: number }
  | { at: "chunk-size" }
  | { at: "chunk"; left: number }
  | { at: "chunk-end" }
  | { at: "trailer" }
  | { at: "until-close" }
  | { at: "raw" };

/** Reads HTTP/1.1 responses (RFC 9112) as bytes come; pipelined ones go to the expectations in the order given. */
export class ResponseParser {
  #state: State = { at: "head" };
  #held: Uint8Array = EMPTY;
  #keepAlive = true;
  readonly #expected: Expectation[] = [];

  expect(expectation: Expectation): void {
    this.#expected.push(expectation);
  }

  /** True when no response is under way and the connection may carry another request. */
  get idle(): boolean {
    return this.#expected.length === 0 && this.#keepAlive && this.#held.byteLength === 0;
  }

  push(chunk: Uint8Array): void {
    let rest = this.#held.byteLength === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = EMPTY;
    try {
      for (;;) {
        const next = this.#step(rest);
        if (next === undefined) break;
        rest = next;
        if (rest.byteLength === 0) return;
      }
      this.#held = rest;
    } catch (error) {
      this.finish(error instanceof HavreError ? error : undefined);
    }
  }

  /** The connection ended. */
  finish(error?: HavreError): void {
    const first = this.#expected.shift();
    this.#keepAlive = false;
    if (!first) return;
    if (!error && (this.#state.at === "until-close" || this.#state.at === "raw")) first.sink.end();
    else first.sink.fail(error ?? new HavreError("unavailable", "The daemon closed the connection"));
    for (const waiting of this.#expected.splice(0)) {
      waiting.sink.fail(error ?? new HavreError("unavailable", "The daemon closed the connection"));
    }
  }

  /** Consumes what it can of `data`; returns the rest, or undefined when more bytes are needed first. */
  #step(data: Uint8Array): Uint8Array | undefined {
    const current = this.#expected[0];
    if (!current) return undefined;
    switch (this.#state.at) {
      case "head":
        return this.#head(data, current);
      case "until-close":
      case "raw":
        if (data.byteLength > 0) current.sink.data(data);
        return EMPTY;
      case "length":
      case "chunk": {
        const take = Math.min(this.#state.left, data.byteLength);
        if (take > 0) current.sink.data(data.subarray(0, take));
        this.#state.left -= take;
        if (this.#state.left === 0) {
          if (this.#state.at === "length") this.#complete(current);
          else this.#state = { at: "chunk-end" };
        }
        return data.subarray(take);
      }
      case "chunk-size":
      case "chunk-end":
      case "trailer":
        return this.#line(data, current);
    }
  }

  #line(data: Uint8Array, current: Expectation): Uint8Array | undefined {
    const end = data.indexOf(10);
    if (end < 0) {
      if (data.byteLength > HEAD_LIMIT) throw malformed("a line is too long");
      return undefined;
    }
    const line = Buffer.from(data.subarray(0, end)).toString("latin1").trim();
    if (this.#state.at === "chunk-end") this.#state = { at: "chunk-size" };
    else if (this.#state.at === "chunk-size") {
      const size = Number.parseInt(line, 16);
      if (!/^[0-9a-fA-F]+/.test(line)) throw malformed(`bad chunk size ${JSON.stringify(line)}`);
      this.#state = size === 0 ? { at: "trailer" } : { at: "chunk", left: size };
    } else if (line === "") this.#complete(current);
    return data.subarray(end + 1);
  }

  #head(data: Uint8Array, current: Expectation): Uint8Array | undefined {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) {
      if (bytes.byteLength > HEAD_LIMIT) throw malformed("headers are too long");
      return undefined;
    }
    const head = parseHead(bytes.toString("latin1", 0, end));
    const rest = data.subarray(end + 4);
    if (head.status >= 100 && head.status < 200 && head.status !== 101) return rest;
    if (head.headers.get("connection")?.toLowerCase() === "close") this.#keepAlive = false;
    this.#state = bodyState(head, current.headOnly);
    if (this.#state.at === "raw" || this.#state.at === "until-close") this.#keepAlive = false;
    current.sink.head(head);
    if (this.#state.at === "length" && this.#state.left === 0) this.#complete(current);
    return rest;
  }

  #complete(current: Expectation): void {
    this.#expected.shift();
    this.#state = { at: "head" };
    current.sink.end();
  }
}

function bodyState({ status, headers }: ResponseHead, headOnly: boolean): State {
  if (status === 101) return { at: "raw" };
  if (headOnly || status === 204 || status === 304) return { at: "length", left: 0 };
  if (headers.get("transfer-encoding")?.toLowerCase().includes("chunked")) return { at: "chunk-size" };
  const length = headers.get("content-length");
  if (length === undefined) return { at: "until-close" };
  return { at: "length", left: Number(length) };
}

function parseHead(text: string): ResponseHead {
  const [first = "", ...lines] = text.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(first);
  if (!status) throw malformed(`not an HTTP response: ${JSON.stringify(first.slice(0, 80))}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(status[1]), reason: status[2] ?? "", headers };
}

function malformed(why: string): HavreError {
  return new HavreError("internal", `The daemon's answer cannot be read: ${why}`);
}
