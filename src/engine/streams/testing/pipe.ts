import { deferred } from "../../../base/mod.ts";
import type { IoConnection, OutputChunk } from "../../../runtime/mod.ts";

/** The process's side of a connection, in memory. */
export class Pipe implements IoConnection {
  listener: (chunk: OutputChunk) => boolean = () => true;
  readonly written: number[] = [];
  inputEnded = false;
  resumed = 0;
  readonly #closed = deferred<void>();
  readonly closed = this.#closed.promise;
  onOutput(listener: (chunk: OutputChunk) => boolean): void {
    this.listener = listener;
  }
  resume(): void {
    this.resumed++;
  }
  write(data: Uint8Array): boolean {
    this.written.push(...data);
    return true;
  }
  async drained(): Promise<void> {}
  endInput(): void {
    this.inputEnded = true;
  }
  close(): void {
    this.#closed.resolve();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
