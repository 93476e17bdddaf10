/** Entry point of a worker that compresses pieces: what the library has no asynchronous call for happens here. */
import { closeSync, openSync, readSync } from "node:fs";
import type { FilePiece, FromWorker, Piece } from "./gzip-messages.ts";

/** libdeflate's 2 makes what zlib's 6 makes in half the time. */
const LEVEL = 2;

declare const self: Worker;

/** One gzip member (RFC 1952), without name and time: the same bytes give the same result. */
function compress(piece: Piece): Uint8Array {
  const plain = piece instanceof Uint8Array ? piece : read(piece);
  return Bun.gzipSync(plain as Uint8Array<ArrayBuffer>, { level: LEVEL, library: "libdeflate" });
}

function read({ path, offset, length }: FilePiece): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  const file = openSync(path, "r");
  try {
    for (let at = 0; at < length; ) {
      const count = readSync(file, bytes, at, length - at, offset + at);
      if (count === 0) throw new Error(`${path} ends at ${offset + at}`);
      at += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

self.onmessage = ({ data }: MessageEvent<Piece>) => {
  let answer: FromWorker;
  try {
    // A copy of its own size: the library's buffer has room for the worst case, and all of it would change hands.
    const bytes = compress(data).slice();
    answer = { bytes };
    self.postMessage(answer, [bytes.buffer as ArrayBuffer]);
  } catch (error) {
    answer = { failure: error instanceof Error ? error.message : String(error) };
    self.postMessage(answer);
  }
};
