import { closeSync } from "node:fs";
import { bytesReadable } from "../kernel/mod.ts";
import type { IoConnection, OutputChunk, StreamName } from "./runtime.ts";

/** Our ends of the pipes that are a process's streams. They are taken over. */
export interface StreamEnds {
  readonly input: number | undefined;
  readonly output: readonly { readonly stream: StreamName; readonly fd: number }[];
}

/** A connection over pipes that this daemon itself holds. */
export class ProcessStreams implements IoConnection {
  readonly #ends: StreamEnds;
  #listener: ((chunk: OutputChunk) => boolean) | undefined;
  #listening = Promise.withResolvers<void>();
  #resumed: PromiseWithResolvers<void> | undefined;
  readonly #sink: Bun.FileSink | undefined;
  #flushing: Promise<void> | undefined;
  #inputEnding = false;
  #inputOpen: boolean;
  #exited = false;
  readonly #readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  readonly #pending = new Map<ReadableStreamDefaultReader<Uint8Array>, number>();
  readonly closed: Promise<void>;

  constructor(ends: StreamEnds) {
    this.#ends = ends;
    this.#sink = ends.input === undefined ? undefined : Bun.file(ends.input).writer();
    this.#inputOpen = ends.input !== undefined;
    this.closed = Promise.all(ends.output.map(({ stream, fd }) => this.#pump(stream, fd))).then(() => this.#release());
  }

  onOutput(listener: (chunk: OutputChunk) => boolean): void {
    this.#listener = listener;
    this.#listening.resolve();
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  write(data: Uint8Array): boolean {
    if (this.#sink === undefined || this.#inputEnding) return true;
    try {
      // The sink keeps the bytes until they are written; the caller's buffer may be reused before.
      this.#await(this.#sink.write(data.slice()));
      this.#await(this.#sink.flush());
    } catch {
      this.#inputGone();
    }
    return this.#flushing === undefined;
  }

  drained(): Promise<void> {
    return this.#flushing ?? Promise.resolve();
  }

  endInput(): void {
    if (this.#inputEnding) return;
    this.#inputEnding = true;
    if (this.#flushing === undefined) this.#closeInput();
  }

  /** The process has ended: what it wrote is still delivered, what others hold open is not waited for. */
  processEnded(): void {
    this.#exited = true;
    this.#closeIdle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener = () => true;
    this.#listening.resolve();
    this.resume();
    this.#inputEnding = true;
    this.#closeInput();
    this.#exited = true;
    await Promise.all(this.#readers.map((reader) => reader.cancel()));
    await this.closed;
  }

  async #pump(stream: StreamName, fd: number): Promise<void> {
    const reader = Bun.file(fd).stream().getReader() as ReadableStreamDefaultReader<Uint8Array>;
    this.#readers.push(reader);
    await this.#listening.promise;
    try {
      for (;;) {
        this.#pending.set(reader, fd);
        if (this.#exited) this.#closeIdle();
        const { value, done } = await reader.read();
        this.#pending.delete(reader);
        if (done) break;
        if (value.byteLength > 0 && this.#listener?.({ stream, data: value }) === false) {
          this.#resumed ??= Promise.withResolvers<void>();
          await this.#resumed.promise;
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Ends the reading of streams that have nothing left and would wait for a process that is not ours. */
  #closeIdle(): void {
    setImmediate(() => {
      for (const [reader, fd] of this.#pending) {
        if (bytesReadable(fd) === 0) void reader.cancel();
        else this.#closeIdle();
      }
    });
  }

  #await(written: number | Promise<number>): void {
    if (!(written instanceof Promise)) return;
    const flushing: Promise<void> = Promise.all([this.#flushing, written])
      .then(
        () => {},
        () => this.#inputGone(),
      )
      .then(() => {
        // A later write waits for its own.
        if (this.#flushing !== flushing) return;
        this.#flushing = undefined;
        if (this.#inputEnding) this.#closeInput();
      });
    this.#flushing = flushing;
  }

  /** Nobody reads our input any more (EPIPE); the process's end is reported by itself. */
  #inputGone(): void {
    this.#inputEnding = true;
    this.#closeInput();
  }

  #closeInput(): void {
    if (!this.#inputOpen || this.#ends.input === undefined) return;
    this.#inputOpen = false;
    void this.#endSink(this.#ends.input);
  }

  async #endSink(fd: number): Promise<void> {
    try {
      await this.#sink?.end();
    } catch {
      // What nobody reads cannot be written (EPIPE).
    } finally {
      closeSync(fd);
    }
  }

  #release(): void {
    this.#inputEnding = true;
    this.#closeInput();
  }
}
