import type { OutputChunk } from "../../runtime/mod.ts";
import type { StreamSession } from "../engine.ts";

/**
 * A session whose output begins with what was logged before. It is connected already while the log is read, so that nothing
 * falls between; what is written just then may come twice (Docker's).
 */
export class SessionAfterLog implements StreamSession {
  readonly #session: StreamSession;
  readonly #log: AsyncIterable<OutputChunk>;
  readonly #reading: AbortController;

  /** `log` ends when `reading` is aborted. */
  constructor(session: StreamSession, log: AsyncIterable<OutputChunk>, reading: AbortController) {
    this.#session = session;
    this.#log = log;
    this.#reading = reading;
  }

  get terminal(): boolean {
    return this.#session.terminal;
  }

  readonly output: AsyncIterable<OutputChunk> = { [Symbol.asyncIterator]: () => this.#read() };

  async *#read(): AsyncGenerator<OutputChunk> {
    yield* this.#log;
    yield* this.#session.output;
  }

  write(data: Uint8Array): Promise<void> {
    return this.#session.write(data);
  }

  endInput(): void {
    this.#session.endInput();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reading.abort();
    await this.#session[Symbol.asyncDispose]();
  }
}
