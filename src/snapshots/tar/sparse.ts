import { FIELD, numberField } from "./fields.ts";
import { BLOCK, type Extent, malformed } from "./header.ts";
import { decimal } from "./pax.ts";

const PAIR = 24;
const OLD_GNU_PAIRS_IN_EXTENSION = 21;

/** Old GNU format: pairs of twelve octal digits from `offset`; a zero length field ends the list. */
export function oldGnuPairs(block: Uint8Array, offset: number, count: number, position: number): number[] {
  const pairs: number[] = [];
  for (let index = 0; index < count; index++) {
    const at = offset + index * PAIR;
    if (block[at] === 0) break;
    const start = numberField(block, [at, 12]);
    const length = numberField(block, [at + 12, 12]);
    if (start === undefined || length === undefined) throw malformed("a broken sparse map", position);
    pairs.push(start, length);
  }
  return pairs;
}

/** One extension block of the old GNU format. */
export function oldGnuExtension(block: Uint8Array, position: number): { pairs: number[]; more: boolean } {
  return { pairs: oldGnuPairs(block, 0, OLD_GNU_PAIRS_IN_EXTENSION, position), more: block[504] !== 0 };
}

export function oldGnuStart(block: Uint8Array, position: number): { pairs: number[]; more: boolean; size: number } {
  const size = numberField(block, FIELD.gnuRealSize);
  if (size === undefined || size < 0) throw malformed("a broken size of a sparse file", position);
  return { pairs: oldGnuPairs(block, FIELD.gnuSparse[0], 4, position), more: block[FIELD.gnuExtended[0]] !== 0, size };
}

/** PAX 0.1: "offset,length,offset,length,…" in one record. */
export function commaPairs(value: Uint8Array): number[] {
  return Buffer.from(value)
    .toString("latin1")
    .split(",")
    .map((text) => decimal(Buffer.from(text, "latin1")));
}

/**
 * PAX 1.0: decimal lines at the start of the content: the number of pairs, then each offset and length, padded to a
 * block. `take` is called with each block; it returns the pairs once the map is complete.
 */
export class SparseMapLines {
  #expected = -1;
  #line = 0;
  #digits = 0;
  readonly #pairs: number[] = [];
  readonly #position: number;

  constructor(position: number) {
    this.#position = position;
  }

  take(block: Uint8Array): number[] | undefined {
    for (let index = 0; index < BLOCK; index++) {
      const byte = block[index] ?? 0;
      if (byte === 0x0a) {
        if (this.#digits === 0) throw malformed("a broken sparse map", this.#position);
        if (this.#expected < 0) this.#expected = this.#line * 2;
        else this.#pairs.push(this.#line);
        this.#line = 0;
        this.#digits = 0;
        if (this.#pairs.length === this.#expected) return this.#pairs;
      } else {
        if (byte < 0x30 || byte > 0x39) throw malformed("a broken sparse map", this.#position);
        this.#line = this.#line * 10 + (byte - 0x30);
        if (++this.#digits > 16 || !Number.isSafeInteger(this.#line)) {
          throw malformed("a broken sparse map", this.#position);
        }
      }
    }
    return undefined;
  }
}

/** Checks a map: ascending, inside the file, and exactly the stored bytes. Empty extents only mark the end and are dropped. */
export function extentsFrom(pairs: readonly number[], size: number, stored: number, position: number): Extent[] {
  const extents: Extent[] = [];
  let end = 0;
  let total = 0;
  if (pairs.length % 2 !== 0) throw malformed("a broken sparse map", position);
  for (let index = 0; index < pairs.length; index += 2) {
    const offset = pairs[index] ?? Number.NaN;
    const length = pairs[index + 1] ?? Number.NaN;
    if (!Number.isSafeInteger(offset + length) || offset < end || length < 0 || offset + length > size) {
      throw malformed("a sparse map that does not fit its file", position);
    }
    end = offset + length;
    total += length;
    if (length > 0) extents.push({ offset, length });
  }
  if (total !== stored) throw malformed("a sparse map that does not fit the stored bytes", position);
  return extents;
}
