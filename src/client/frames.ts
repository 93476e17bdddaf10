import { HavreError } from "../base/mod.ts";

export type StreamName = "stdin" | "stdout" | "stderr" | "system";
const NAMES: readonly StreamName[] = ["stdin", "stdout", "stderr", "system"];
const HEADER = 8;

/**
 * Takes apart Docker's multiplexed stream (API `ContainerAttach`): frames of one byte stream type, three zero bytes, a
 * big-endian length, the payload. Payload is handed on as it comes; a frame need not be complete.
 */
export class FrameReader {
  readonly #emit: (stream: StreamName, data: Uint8Array) => void;
  readonly #header = Buffer.alloc(HEADER);
  #have = 0;
  #left = 0;
  #stream: StreamName = "stdout";

  constructor(emit: (stream: StreamName, data: Uint8Array) => void) {
    this.#emit = emit;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#left > 0) {
        const take = Math.min(this.#left, chunk.byteLength - at);
        this.#emit(this.#stream, chunk.subarray(at, at + take));
        this.#left -= take;
        at += take;
        continue;
      }
      const take = Math.min(HEADER - this.#have, chunk.byteLength - at);
      this.#header.set(chunk.subarray(at, at + take), this.#have);
      this.#have += take;
      at += take;
      if (this.#have === HEADER) this.#open();
    }
  }

  #open(): void {
    const name = NAMES[this.#header[0] ?? 255];
    if (name === undefined) throw new HavreError("internal", `Unrecognized input header: ${this.#header[0]}`);
    this.#stream = name;
    this.#left = this.#header.readUInt32BE(4);
    this.#have = 0;
  }
}
