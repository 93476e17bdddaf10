import { firstChunk, LONGEST_CHUNK } from "../../content/mod.ts";

/**
 * Cuts bytes as they come where their contents say so, each piece in memory of its own: it changes hands. No bytes at
 * all are one piece, too: nothing is no gzip file.
 */
export async function* piecesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(2 * LONGEST_CHUNK);
  let [start, end, given] = [0, 0, false];
  const take = () => {
    const length = firstChunk(buffer.subarray(start, end));
    const piece = buffer.slice(start, start + length);
    start += length;
    given = true;
    return piece;
  };
  for await (const chunk of source) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (end === buffer.length) {
        buffer.copyWithin(0, start, end);
        [start, end] = [0, end - start];
      }
      const part = chunk.subarray(at, at + buffer.length - end);
      buffer.set(part, end);
      at += part.byteLength;
      end += part.byteLength;
      while (end - start >= LONGEST_CHUNK) yield take();
    }
  }
  while (start < end || !given) yield take();
}
