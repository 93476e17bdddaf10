import { setTimeout } from "node:timers/promises";
import { deferred } from "../../base/mod.ts";
import type { IoConnection, OutputChunk } from "../../runtime/mod.ts";
import type { StreamSession } from "../engine.ts";
import { DetachScanner } from "./detach-keys.ts";

export interface SessionOptions {
  readonly terminal: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Keys that detach; empty: none. */
  readonly detachKeys: Uint8Array;
  readonly onDetach?: () => void;
  /**
   * The end of the process, recorded. Clients ask for its code as soon as the output ends, so the output of a process that is ending
   * waits for this; not for long, because a process may close its output and go on.
   */
  readonly recorded?: Promise<unknown>;
}

/** Milliseconds between the last output and the record of the end, at most. */
const RECORD_WAIT = 500;

/** Output held for a slow client before the container is asked to pause. */
const HIGH_WATER = 1 << 20;
const LOW_WATER = 1 << 18;

/**
 * One client on a process's streams. It may exist before the process does: input waits, and output begins when
 * `connect` is called. Ends when the process closes its output, the client detaches, or it is disposed.
 */
export class ConnectionSession implements StreamSession {
  readonly terminal: boolean;
  readonly #options: SessionOptions;
  readonly #scanner: DetachScanner;
  readonly #connected = deferred<IoConnection | undefined>();
  #connection: IoConnection | undefined;
  readonly #chunks: OutputChunk[] = [];
  #buffered = 0;
  #paused = false;
  #ended = false;
  #wake: (() => void) | undefined;
  #takenAt = Number.NEGATIVE_INFINITY;
  readonly #delivered = deferred<void>();
  /** The client has taken all the output there will be, or is gone. */
  readonly delivered = this.#delivered.promise;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.terminal = options.terminal;
    // Only what is typed can detach: data through a pipe may hold any bytes.
    this.#scanner = new DetachScanner(options.terminal ? options.detachKeys : new Uint8Array());
  }

  /** Whether the client has the process's input. */
  get stdin(): boolean {
    return this.#options.stdin;
  }

  /** When the client last took output, on the monotonic clock. */
  get takenAt(): number {
    return this.#takenAt;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Takes over a live connection. */
  connect(connection: IoConnection): void {
    if (this.#ended) {
      void connection[Symbol.asyncDispose]();
      return;
    }
    this.#connection = connection;
    connection.onOutput((chunk) => this.#take(chunk));
    void connection.closed.then(() => this.#endRecorded());
    this.#connected.resolve(connection);
  }

  async #endRecorded(): Promise<void> {
    const { recorded } = this.#options;
    if (recorded) {
      const patience = new AbortController();
      await Promise.race([recorded, setTimeout(RECORD_WAIT, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
    }
    this.end();
  }

  /** No more output comes. */
  end(): void {
    this.#ended = true;
    this.#connected.resolve(undefined);
    this.#wake?.();
  }

  readonly output: AsyncIterable<OutputChunk> = {
    [Symbol.asyncIterator]: () => this.#read(),
  };

  async write(data: Uint8Array): Promise<void> {
    const connection = this.#connection ?? (await this.#connected.promise);
    if (!connection || this.#ended || !this.#options.stdin) return;
    const { pass, detached } = this.#scanner.scan(data);
    if (pass.byteLength > 0 && !connection.write(pass)) await connection.drained();
    if (detached) {
      this.#options.onDetach?.();
      await this[Symbol.asyncDispose]();
    }
  }

  endInput(): void {
    if (!this.#options.stdin) return;
    void this.#connected.promise.then((connection) => connection?.endInput());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    this.#delivered.resolve();
    await this.#connection?.[Symbol.asyncDispose]();
  }

  #take(chunk: OutputChunk): boolean {
    const wanted = chunk.stream === "stdout" ? this.#options.stdout : this.#options.stderr;
    if (!wanted) return true;
    this.#chunks.push(chunk);
    this.#buffered += chunk.data.byteLength;
    this.#wake?.();
    if (this.#buffered < HIGH_WATER) return true;
    this.#paused = true;
    return false;
  }

  async *#read(): AsyncGenerator<OutputChunk> {
    for (;;) {
      for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) {
        yield chunk;
        this.#takenAt = performance.now();
        this.#buffered -= chunk.data.byteLength;
        if (this.#paused && this.#buffered < LOW_WATER) {
          this.#paused = false;
          this.#connection?.resume();
        }
      }
      if (this.#ended) {
        this.#delivered.resolve();
        return;
      }
      const { promise, resolve } = deferred<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
    }
  }
}
