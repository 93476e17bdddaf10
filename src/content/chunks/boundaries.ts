/** Where bytes are cut into chunks: by what they are, so that a change moves no boundary but those beside it. */

/** Bytes of the shortest chunk, the last one of a stream aside. */
const SHORTEST = 128 * 1024;
/** Bytes of the longest chunk. */
export const LONGEST_CHUNK = 1024 * 1024;
/** Zero bits that a boundary asks for: one place in 2^17, so a chunk has a quarter of a MiB on the average. */
const BITS = 17;
/** Bytes that decide about a boundary: older ones have been shifted out. */
const WINDOW = 32;

/** A number for each byte, as random as need be; others would cut elsewhere, and share nothing with what is out there. */
const GEAR = gear();

function gear(): Uint32Array {
  const table = new Uint32Array(256);
  let state = 0x9e3779b9;
  for (let byte = 0; byte < 256; byte++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    table[byte] = state;
  }
  return table;
}

/**
 * How many of `bytes` make the first chunk, by a gear hash (Xia et al., "FastCDC", USENIX ATC 2016). The answer holds if
 * there are `LONGEST_CHUNK` of them, or no more will come.
 */
export function firstChunk(bytes: Uint8Array): number {
  const end = Math.min(bytes.length, LONGEST_CHUNK);
  let hash = 0;
  for (let at = SHORTEST - WINDOW; at < end; at++) {
    hash = ((hash << 1) + (GEAR[bytes[at] as number] as number)) | 0;
    if (hash >>> (32 - BITS) === 0 && at >= SHORTEST) return at + 1;
  }
  return end;
}
