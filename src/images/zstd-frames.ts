/** Bytes of a frame header's optional fields by its descriptor (RFC 8878 § 3.1.1.1). */
const DICTIONARY_ID = [0, 1, 2, 4] as const;
const CONTENT_SIZE = [0, 2, 4, 8] as const;
const RLE = 1;

/**
 * Follows a zstd stream block by block without unpacking it, to know whether it ends where a frame ends: the decompressor
 * in use takes a stream that was cut short for a finished one.
 */
export class ZstdFrames {
  /** Fixed-size bytes wanted next, and what to do with them. */
  #wanted = 4;
  #take: (bytes: DataView) => void = (bytes) => this.#magic(bytes);
  readonly #buffer = new Uint8Array(4);
  #filled = 0;
  #skip = 0;
  #checksum = 0;

  /** True between frames. */
  get complete(): boolean {
    return this.#filled === 0 && this.#skip === 0 && this.#wanted === 4 && this.#between;
  }
  #between = true;

  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      this.#buffer[this.#filled++] = chunk[at++] ?? 0;
      if (this.#filled < this.#wanted) continue;
      this.#filled = 0;
      this.#take(new DataView(this.#buffer.buffer));
    }
  }

  #expect(bytes: number, take: (bytes: DataView) => void): void {
    this.#wanted = bytes;
    this.#take = take;
  }

  #magic(bytes: DataView): void {
    this.#between = false;
    const isSkippable = (bytes.getUint8(0) & 0xf0) === 0x50 && bytes.getUint8(1) === 0x2a;
    if (isSkippable) {
      this.#expect(4, (size) => {
        this.#skip = size.getUint32(0, true);
        this.#end();
      });
    } else this.#expect(1, (descriptor) => this.#header(descriptor.getUint8(0)));
  }

  #header(descriptor: number): void {
    const singleSegment = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    const contentSize = sizeFlag === 0 && singleSegment ? 1 : (CONTENT_SIZE[sizeFlag] ?? 0);
    this.#checksum = descriptor & 0x04 ? 4 : 0;
    this.#skip = (singleSegment ? 0 : 1) + (DICTIONARY_ID[descriptor & 0x03] ?? 0) + contentSize;
    this.#expect(3, (block) => this.#block(block));
  }

  #block(bytes: DataView): void {
    const header = bytes.getUint16(0, true) | (bytes.getUint8(2) << 16);
    const size = header >> 3;
    this.#skip = ((header >> 1) & 0x03) === RLE ? 1 : size;
    if ((header & 1) === 0) return;
    this.#skip += this.#checksum;
    this.#end();
  }

  #end(): void {
    this.#between = true;
    this.#expect(4, (bytes) => this.#magic(bytes));
  }
}
