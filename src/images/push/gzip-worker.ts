/** Entry point of a worker that compresses pieces: what the library has no asynchronous call for happens here. */
import { chunkName } from "../../content/mod.ts";
import type { FromWorker } from "./gzip-messages.ts";

/** libdeflate's 2 makes what zlib's 6 makes in half the time. */
const LEVEL = 2;

declare const self: Worker;

/** One gzip member (RFC 1952), without name and time: the same bytes give the same result. */
function compress(plain: Uint8Array): Uint8Array {
  return Bun.gzipSync(plain as Uint8Array<ArrayBuffer>, { level: LEVEL, library: "libdeflate" });
}

self.onmessage = ({ data }: MessageEvent<Uint8Array>) => {
  let answer: FromWorker;
  try {
    // A copy of its own size: the library's buffer has room for the worst case, and all of it would change hands.
    const bytes = compress(data).slice();
    answer = { bytes, name: chunkName(bytes) };
    self.postMessage(answer, [bytes.buffer as ArrayBuffer]);
  } catch (error) {
    answer = { failure: error instanceof Error ? error.message : String(error) };
    self.postMessage(answer);
  }
};
