import { createHash } from "node:crypto";

/** Bytes. Small changes cost about one chunk; a million files of a volume cost thousands of chunks, not millions. */
export interface ChunkSizes {
  readonly least: number;
  readonly usual: number;
  readonly most: number;
}

export const CHUNK_SIZES: ChunkSizes = { least: 256 << 10, usual: 1 << 20, most: 4 << 20 };

/**
 * Cuts a stream where its content says so (a gear hash; Xia et al., "FastCDC", USENIX ATC 2016): bytes put in or taken out
 * change the chunks around them, and the others stay what they were. Where it cuts is part of the format of a backup
 * folder: changing it makes every chunk of a next backup a new one.
 */
export async function* cutByContent(
  source: AsyncIterable<Uint8Array>,
  { least, usual, most }: ChunkSizes = CHUNK_SIZES,
): AsyncGenerator<Uint8Array> {
  const gear = gearTable();
  const bits = Math.round(Math.log2(usual));
  // Harder to cut before the usual size, easier after it: sizes stay near it.
  const [early, late] = [topBits(bits + 2), topBits(bits - 2)];
  let buffer = new Uint8Array(most);
  let filled = 0;
  let hash = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const start = at;
      let cut = false;
      while (at < bytes.length && !cut) {
        hash = ((hash << 1) + (gear[bytes[at++] ?? 0] ?? 0)) | 0;
        const length = filled + at - start;
        cut = length >= most || (length >= least && (hash & (length < usual ? early : late)) === 0);
      }
      buffer.set(bytes.subarray(start, at), filled);
      filled += at - start;
      if (!cut) continue;
      yield buffer.subarray(0, filled);
      buffer = new Uint8Array(most);
      filled = 0;
      hash = 0;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

/** The highest bits: those that the last bytes have shifted all the way through. */
function topBits(count: number): number {
  return (-1 << (32 - count)) | 0;
}

/** A number for each byte, the same everywhere and always. */
function gearTable(): Int32Array {
  const table = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++)
    table[byte] = createHash("sha256").update(`havre chunk ${byte}`).digest().readInt32BE();
  return table;
}
