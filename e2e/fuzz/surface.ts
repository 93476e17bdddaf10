/** What is fed with wrong input, and what must hold whatever it is fed with. */
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Random } from "../harness/random.ts";

/** How an input was met; anything else than these two is thrown as a `Finding`. */
export type Outcome = "taken" | "refused";

/** A defect: with what it takes to see it again. */
export class Finding extends Error {
  readonly input: string;

  constructor(what: string, input: string | Uint8Array) {
    super(what);
    this.name = "Finding";
    this.input = typeof input === "string" ? input : Buffer.from(input).toString("base64");
  }
}

export interface Surface {
  /** Feeds one input. */
  feed(random: Random): Promise<Outcome>;
  /** Looks whether what is fed is well; tidies up after what was taken. */
  check?(): Promise<void>;
  /** The process that is fed, where it is another. */
  readonly pid?: number;
}

/** Texts that no error meant for people has: a mistake of the program's reached its answer or its log. */
const MISTAKE =
  /TypeError|RangeError|ReferenceError|\(In '|\(evaluating '|undefined is not|null is not|Maximum call stack|Out of memory|Invalid array length|Cannot (?:read|convert|mix|destructure)|BigInt|Unhandled/;

export function refuseMistakes(text: string, input: string | Uint8Array): void {
  const found = MISTAKE.exec(text);
  if (found)
    throw new Finding(`a mistake shows: ${text.slice(Math.max(0, found.index - 200), found.index + 300)}`, input);
}

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** Of an answer, with its status. */
const HEAD = /^HTTP\/1\.1 (\d{3})[\s\S]*?\r\n\r\n/;

/** Milliseconds a head is waited for, and a body that goes on: streams have no end. */
const HEAD_MS = 30_000;
const BODY_MS = 700;

/**
 * Writes bytes that may be no HTTP to a server and reads its answer; `undefined`: there is none. Of a request that is not
 * `whole` a server may wait for the rest.
 */
export function rawRequest(
  address: { readonly path: string } | { readonly host: string; readonly port: number },
  request: Uint8Array,
  whole = true,
): Promise<RawAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let text = "";
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      const head = HEAD.exec(text);
      resolve(head ? { status: Number(head[1]), body: text.slice(head[0].length) } : undefined);
    };
    let timer = setTimeout(
      () => {
        if (!whole) return done();
        socket.destroy();
        reject(new Finding(`no answer in ${HEAD_MS / 1000} seconds`, request));
      },
      whole ? HEAD_MS : BODY_MS,
    );
    socket.on("connect", () => socket.write(request));
    socket.on("data", (data) => {
      if (text === "") {
        clearTimeout(timer);
        timer = setTimeout(done, BODY_MS);
      }
      if (text.length < 65_536) text += data.toString("latin1");
      if (isWhole(text, request)) done();
    });
    socket.on("end", done);
    socket.on("close", done);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNREFUSED" && error.code !== "ENOENT") return done();
      clearTimeout(timer);
      reject(new Finding(`nobody listens: ${error.message}`, request));
    });
  });
}

/** Whether an answer has come to its end: a server need not close for us to know. */
function isWhole(text: string, request: Uint8Array): boolean {
  const [head, status] = HEAD.exec(text) ?? [];
  if (head === undefined) return false;
  if (status === "204" || status === "304" || request[0] === "H".charCodeAt(0)) return true;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return text.length - head.length >= Number(length);
  return /\r\ntransfer-encoding: *chunked/i.test(head) && text.endsWith("0\r\n\r\n");
}

/** A request as bytes. */
export function encodeRequest(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | undefined,
): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, "Host: fuzz", "Connection: close"];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== undefined && headers["Content-Length"] === undefined) lines.push(`Content-Length: ${body.byteLength}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body ?? Buffer.alloc(0)]);
}

export interface Size {
  readonly descriptors: number;
  /** Bytes of resident memory. */
  readonly memory: number;
}

export function sizeOf(pid: number): Size {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, memory: kilobytes * 1024 };
}
