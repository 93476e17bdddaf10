import { once } from "node:events";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { HavreError } from "../../base/mod.ts";
import type { StreamSession } from "../../engine/mod.ts";
import { errorAnswer } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { frame } from "./stdcopy.ts";

const RAW = "application/vnd.docker.raw-stream";
const MULTIPLEXED = "application/vnd.docker.multiplexed-stream";

/** The content type of a process's output, for logs and hijacked connections. */
export function streamType({ version }: Exchange, terminal: boolean): string {
  return !terminal && version.since(42) ? MULTIPLEXED : RAW;
}

function headLines(exchange: Exchange): string {
  const names = ["api-version", "docker-experimental", "ostype", "server"];
  return names.map((name) => `${name}: ${exchange.response.getHeader(name)}\r\n`).join("");
}

/** A connection that has left HTTP. */
export interface Hijacked {
  readonly socket: Socket;
  /** What the client had sent already. */
  readonly head: Buffer;
  /** What it sends; never ends when it has no way to say so. */
  readonly input: AsyncIterable<Buffer>;
  /** When the head of the answer was written, on the monotonic clock. */
  readonly since: number;
}

/**
 * Clients that read HTTP through a buffer and then take the bare socket (docker-py) lose what arrives together with the head of the
 * answer, so the first bytes come this many milliseconds later at the earliest. Processes seldom say anything sooner.
 */
const HEAD_START_MS = 3;

/** Waits until the client has surely read the head of the answer. */
export async function headRead({ since }: Hijacked): Promise<void> {
  const missing = () => since + HEAD_START_MS - performance.now();
  // A timer may be early: it counts from when the event loop last looked at the clock.
  for (let wait = missing(); wait > 0; wait = missing()) await setTimeout(Math.ceil(wait));
}

/**
 * Takes the connection out of HTTP: `101 UPGRADED` for a client that asked for it, else the old form, `200 OK` and raw bytes on the
 * same connection.
 */
export function hijack(exchange: Exchange, terminal: boolean, extraHeaders = headLines(exchange)): Hijacked {
  const { upgrade, request } = exchange;
  if (upgrade) {
    upgrade.socket.write(
      `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${streamType(exchange, terminal)}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${extraHeaders}\r\n`,
    );
    return { ...upgrade, input: upgrade.socket.iterator({ destroyOnReturn: false }), since: performance.now() };
  }
  const { socket } = request;
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${RAW}\r\n${extraHeaders}\r\n`);
  // Without Upgrade the connection stays an HTTP request's: its body is the input, if it has one that goes on.
  const input = request.headers["transfer-encoding"] === "chunked" && !request.readableEnded ? request : never();
  return { socket, head: Buffer.alloc(0), input, since: performance.now() };
}

async function* never(): AsyncGenerator<Buffer> {
  await new Promise<void>(() => {});
}

/** The answer of a failed attach: Docker's own, on the bare connection, in plain text. */
export function refuseHijack(exchange: Exchange, error: unknown): void {
  const { status, message } = errorAnswer(error);
  const socket = exchange.upgrade?.socket ?? exchange.request.socket;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${RAW}\r\n\r\n${message}\r\n`);
}

/** The promise, unless the client leaves first. */
function untilGone<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => {});
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

/** Carries the client's input to the session, at the session's speed, until the client closes its side. */
async function carryInput({ input, head }: Hijacked, session: StreamSession): Promise<void> {
  if (head.length > 0) await session.write(head);
  for await (const data of input) await session.write(data);
  session.endInput();
}

export interface JoinOptions {
  /** Output in frames; by default when the process has no terminal. */
  readonly framed?: boolean;
  /** What is written after the output, once it is known. */
  readonly farewell?: () => Promise<Uint8Array>;
}

/**
 * Joins a hijacked connection and a session until the session's output ends or the client goes away. The client's half-close ends
 * the process's input only.
 */
export async function joinStreams(
  connection: Hijacked,
  session: StreamSession,
  { framed = !session.terminal, farewell }: JoinOptions = {},
): Promise<void> {
  const { socket } = connection;
  const gone = new AbortController();
  const leave = () => {
    gone.abort(new HavreError("cancelled", "The client went away"));
    // Ends the output below, which is what this waits for.
    void session[Symbol.asyncDispose]();
  };
  socket.once("close", leave);
  if (socket.destroyed) leave();
  // Input ends in its own time: nothing waits for it. It fails only when one side is gone, which the output side tells.
  void carryInput(connection, session).catch(() => {});
  let begun = false;
  try {
    for await (const chunk of session.output) {
      if (gone.signal.aborted) break;
      if (!begun) await headRead(connection);
      begun = true;
      if (!socket.write(framed ? frame(chunk) : chunk.data)) await once(socket, "drain", { signal: gone.signal });
    }
    if (farewell && !gone.signal.aborted) socket.write(await untilGone(farewell(), gone.signal));
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    socket.off("close", leave);
    await session[Symbol.asyncDispose]();
    socket.end();
    // Input that nobody reads any more must not keep the connection from ending.
    socket.resume();
  }
}
