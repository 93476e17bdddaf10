import { deferred, HavreError, toHavreError } from "../base/mod.ts";
import { ResponseParser, type ResponseSink } from "./http-parser.ts";
import type { Connection, Transport } from "./transport.ts";

const WRITE_AHEAD = 256 * 1024;

/** One HTTP/1.1 connection: requests are answered in the order sent, a 101 turns it into a raw stream. */
export class HttpConnection {
  readonly #parser = new ResponseParser();
  #connection: Connection | undefined;
  #open = true;
  #drained: (() => void) | undefined;

  static async open(transport: Transport): Promise<HttpConnection> {
    const http = new HttpConnection();
    http.#connection = await transport.connect({
      data: (chunk) => http.#parser.push(chunk),
      drain: () => http.#wake(),
      end: () => http.#finish(undefined),
      closed: (error) => http.#finish(error && toHavreError(error)),
    });
    return http;
  }

  /** True while it may carry another request. */
  get idle(): boolean {
    return this.#open && this.#parser.idle;
  }

  send(head: string, sink: ResponseSink, headOnly: boolean): void {
    if (!this.#open) {
      sink.fail(new HavreError("unavailable", "The daemon closed the connection"));
      return;
    }
    this.#parser.expect({ sink, headOnly });
    this.#connection?.write(head);
  }

  /** Writes and, when much is under way already, waits until it has left. */
  async writeBody(data: Uint8Array): Promise<void> {
    if (!this.#open) return;
    this.#connection?.write(data);
    while (this.#open && (this.#connection?.pending ?? 0) > WRITE_AHEAD) {
      const { promise, resolve } = deferred<void>();
      this.#drained = resolve;
      await promise;
    }
  }

  endWrite(): void {
    this.#connection?.endWrite();
  }

  /** Nothing is read until `resume`. */
  pause(): void {
    if (this.#open) this.#connection?.pause();
  }

  resume(): void {
    if (this.#open) this.#connection?.resume();
  }

  close(reason?: HavreError): void {
    this.#finish(reason);
    this.#connection?.close();
  }

  #finish(error: HavreError | undefined): void {
    if (!this.#open) return;
    this.#open = false;
    this.#parser.finish(error);
    this.#wake();
  }

  #wake(): void {
    this.#drained?.();
    this.#drained = undefined;
  }
}
