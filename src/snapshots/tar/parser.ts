import { type BaseHeader, buildHeader, readBase } from "./build-header.ts";
import { isZeroBlock } from "./fields.ts";
import {
  BLOCK,
  beyondLimit,
  DEFAULT_TAR_LIMITS,
  type Extent,
  malformed,
  paddingAfter,
  type TarHeader,
  type TarLimits,
} from "./header.ts";
import { decimal, type PaxRecords, parsePax } from "./pax.ts";
import { commaPairs, extentsFrom, oldGnuExtension, oldGnuStart, SparseMapLines } from "./sparse.ts";

/** Told what the parser finds, in order of the archive. `data` comes with its place in the file; holes are not told. */
export interface TarHandler {
  entry(header: TarHeader): void;
  /** A view of the chunk that was written: copy what outlives the call. */
  data(bytes: Uint8Array, offset: number): void;
  /** The member's last byte has come (members without content too). */
  finish(): void;
}

type Step = "header" | "old-sparse-map" | "sparse-map" | "extension" | "body" | "skip" | "ended";

interface PendingSparse {
  readonly header: TarHeader;
  readonly base: BaseHeader;
  readonly size: number;
  readonly pairs: number[];
}

const NO_EXTENTS: readonly Extent[] = [];

/**
 * A tar archive pushed through in chunks of any size: ustar, old V7, star, GNU (long names, base 256, sparse) and PAX
 * (with sparse 0.0, 0.1 and 1.0). Keeps no more than one header, extended header and sparse map in memory.
 *
 * Two blocks of zeros end it; what follows is ignored, as it is by tar(1). A global extended header is skipped, as every
 * container engine does: a layer must mean the same to all of them.
 */
export class TarParser {
  readonly #handler: TarHandler;
  readonly #limits: TarLimits;
  #step: Step = "header";
  #position = 0;
  readonly #block = new Uint8Array(BLOCK);
  #blockFill = 0;
  #blockEnd = 0;
  #zeroBlock = false;
  #entries = 0;
  #content = 0;

  #extension = new Uint8Array();
  #extensionFill = 0;
  #extensionFlag = "";
  #pax: PaxRecords | undefined;
  #sparsePairs: number[] = [];
  #longName: Uint8Array | undefined;
  #longLink: Uint8Array | undefined;

  #sparse: PendingSparse | undefined;
  #mapLines: SparseMapLines | undefined;
  #mapBytes = 0;

  #extents: readonly Extent[] = NO_EXTENTS;
  #extentIndex = 0;
  #extentDone = 0;
  #remaining = 0;
  #skip = 0;

  constructor(handler: TarHandler, limits: TarLimits = DEFAULT_TAR_LIMITS) {
    this.#handler = handler;
    this.#limits = limits;
  }

  /** While a member is told: the byte of the archive where its content begins. */
  get contentOffset(): number {
    return this.#blockEnd;
  }

  /** True after the blocks that end an archive: further bytes change nothing. */
  get ended(): boolean {
    return this.#step === "ended";
  }

  /** `invalid-argument` for a malformed archive, `resource-exhausted` beyond a limit; the parser is of no use afterwards. */
  write(bytes: Uint8Array): void {
    // As a plain array: `slice` of a Buffer would not copy, and headers outlive the chunk.
    const chunk = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let offset = 0;
    while (offset < chunk.length) {
      const before = offset;
      switch (this.#step) {
        case "header":
        case "old-sparse-map":
        case "sparse-map":
          offset = this.#takeBlock(chunk, offset);
          break;
        case "extension":
          offset = this.#takeExtension(chunk, offset);
          break;
        case "body":
          offset = this.#takeBody(chunk, offset);
          break;
        case "skip":
          offset += Math.min(this.#skip, chunk.length - offset);
          this.#skip -= offset - before;
          if (this.#skip === 0) this.#step = "header";
          break;
        case "ended":
          this.#position += chunk.length - offset;
          return;
      }
      this.#position += offset - before;
    }
  }

  /** Call once after the last chunk: an archive that stops inside a member is `invalid-argument`. */
  end(): void {
    const atBoundary = this.#step === "header" && this.#blockFill === 0;
    const pending = this.#pax !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
    if (this.#step !== "ended" && (!atBoundary || pending)) {
      throw malformed("it stops in the middle of a member", this.#position);
    }
  }

  #takeBlock(chunk: Uint8Array, offset: number): number {
    if (this.#blockFill === 0 && chunk.length - offset >= BLOCK) {
      this.#blockEnd = this.#position + BLOCK;
      this.#onBlock(chunk.subarray(offset, offset + BLOCK));
      return offset + BLOCK;
    }
    const part = chunk.subarray(offset, offset + BLOCK - this.#blockFill);
    this.#block.set(part, this.#blockFill);
    this.#blockFill += part.length;
    if (this.#blockFill === BLOCK) {
      this.#blockFill = 0;
      this.#blockEnd = this.#position + part.length;
      this.#onBlock(this.#block);
    }
    return offset + part.length;
  }

  #onBlock(block: Uint8Array): void {
    if (this.#step === "header") this.#onHeader(block);
    else if (this.#step === "old-sparse-map") this.#onOldSparseMap(block);
    else this.#onSparseMap(block);
  }

  #onHeader(block: Uint8Array): void {
    if (isZeroBlock(block)) {
      if (this.#zeroBlock) this.#step = "ended";
      this.#zeroBlock = true;
      return;
    }
    if (this.#zeroBlock) throw malformed("a single block of zeros between members", this.#position);
    const base = readBase(block, this.#position);
    switch (base.flag) {
      case "x":
      case "X":
      case "L":
      case "K":
        if (base.size > this.#limits.extensionBytes) {
          throw beyondLimit("bytes in one extended header or name", this.#limits.extensionBytes);
        }
        this.#extensionFlag = base.flag;
        this.#extension = new Uint8Array(base.size);
        this.#extensionFill = 0;
        this.#step = "extension";
        if (base.size === 0) this.#onExtension();
        return;
      case "g":
      case "V":
        this.#skipBytes(base.size + paddingAfter(base.size));
        return;
      default:
        this.#onMember(base);
    }
  }

  #takeExtension(chunk: Uint8Array, offset: number): number {
    const part = chunk.subarray(offset, offset + this.#extension.length - this.#extensionFill);
    this.#extension.set(part, this.#extensionFill);
    this.#extensionFill += part.length;
    if (this.#extensionFill === this.#extension.length) this.#onExtension();
    return offset + part.length;
  }

  #onExtension(): void {
    const bytes = this.#extension;
    if (this.#extensionFlag === "L") this.#longName = untilNul(bytes);
    else if (this.#extensionFlag === "K") this.#longLink = untilNul(bytes);
    else {
      const { records, sparsePairs } = parsePax(bytes, this.#position);
      this.#pax = records;
      this.#sparsePairs = sparsePairs;
    }
    this.#skipBytes(paddingAfter(bytes.length));
  }

  #onMember(read: BaseHeader): void {
    if (++this.#entries > this.#limits.entries) throw beyondLimit("members", this.#limits.entries);
    const record = this.#pax?.get("size");
    const size = record ? decimal(record) : read.size;
    if (Number.isNaN(size)) throw malformed("a broken size", this.#position);
    const base: BaseHeader = { ...read, size };
    const header = buildHeader(
      base,
      { pax: this.#pax, longName: this.#longName, longLink: this.#longLink },
      this.#position,
    );
    if (base.flag === "S") {
      const start = oldGnuStart(base.block, this.#position);
      this.#sparse = { header, base: { ...base, block: new Uint8Array() }, size: start.size, pairs: start.pairs };
      this.#step = "old-sparse-map";
      if (!start.more) this.#startSparse(start.pairs, size);
    } else if (header.type === "file" && this.#isPaxSparse()) this.#onPaxSparse(header, base);
    else this.#start(header, base.flag, size);
  }

  #isPaxSparse(): boolean {
    return (
      this.#pax?.has("GNU.sparse.major") === true ||
      this.#pax?.has("GNU.sparse.map") === true ||
      this.#pax?.has("GNU.sparse.size") === true
    );
  }

  #onPaxSparse(header: TarHeader, base: BaseHeader): void {
    const real = this.#pax?.get("GNU.sparse.realsize") ?? this.#pax?.get("GNU.sparse.size");
    const size = real ? decimal(real) : Number.NaN;
    if (Number.isNaN(size)) throw malformed("a sparse file without its size", this.#position);
    const version = ["GNU.sparse.major", "GNU.sparse.minor"]
      .map((keyword) => Buffer.from(this.#pax?.get(keyword) ?? "0").toString("latin1"))
      .join(".");
    const map = this.#pax?.get("GNU.sparse.map");
    this.#sparse = { header, base: { ...base, block: new Uint8Array() }, size, pairs: [] };
    if (version === "1.0") {
      this.#mapLines = new SparseMapLines(this.#position);
      this.#mapBytes = 0;
      this.#step = "sparse-map";
    } else if (version === "0.0" || version === "0.1") {
      this.#startSparse(map ? commaPairs(map) : this.#sparsePairs, base.size);
    } else {
      throw malformed(`a sparse file of the unknown format ${version}`, this.#position);
    }
  }

  #onOldSparseMap(block: Uint8Array): void {
    const sparse = this.#sparse;
    if (!sparse) return;
    const { pairs, more } = oldGnuExtension(block, this.#position);
    this.#mapBytes += BLOCK;
    if (this.#mapBytes > this.#limits.extensionBytes) this.#refuseMap();
    sparse.pairs.push(...pairs);
    if (!more) this.#startSparse(sparse.pairs, sparse.base.size);
  }

  #onSparseMap(block: Uint8Array): void {
    const sparse = this.#sparse;
    if (!sparse) return;
    this.#mapBytes += BLOCK;
    if (this.#mapBytes > this.#limits.extensionBytes) this.#refuseMap();
    if (this.#mapBytes > sparse.base.size) throw malformed("a sparse map longer than its member", this.#position);
    const pairs = this.#mapLines?.take(block);
    if (pairs) this.#startSparse(pairs, sparse.base.size - this.#mapBytes);
  }

  #refuseMap(): never {
    throw beyondLimit("bytes in one sparse map", this.#limits.extensionBytes);
  }

  #startSparse(pairs: readonly number[], stored: number): void {
    const sparse = this.#sparse;
    if (!sparse) return;
    this.#sparse = undefined;
    this.#mapLines = undefined;
    this.#mapBytes = 0;
    const extents = extentsFrom(pairs, sparse.size, stored, this.#position);
    this.#start({ ...sparse.header, size: sparse.size, extents }, "0", stored);
  }

  #start(header: TarHeader, flag: string, stored: number): void {
    this.#pax = undefined;
    this.#sparsePairs = [];
    this.#longName = undefined;
    this.#longLink = undefined;
    const hasBody = header.type === "file";
    if (hasBody) this.#content += stored;
    if (this.#content > this.#limits.contentBytes) {
      throw beyondLimit("bytes of content", this.#limits.contentBytes);
    }
    this.#handler.entry(header);
    if (!hasBody || stored === 0) {
      this.#handler.finish();
      // Links and devices may carry a size but no content; a folder of old kinds may carry a listing.
      this.#skipBytes(flag === "D" || flag === "\0" ? stored + paddingAfter(stored) : 0);
      return;
    }
    this.#extents = header.extents ?? [{ offset: 0, length: stored }];
    this.#extentIndex = 0;
    this.#extentDone = 0;
    this.#remaining = stored;
    this.#skip = paddingAfter(stored);
    this.#step = "body";
  }

  #takeBody(chunk: Uint8Array, from: number): number {
    let offset = from;
    while (this.#remaining > 0 && offset < chunk.length) {
      const extent = this.#extents[this.#extentIndex];
      if (!extent) throw malformed("more content than its sparse map has", this.#position);
      const count = Math.min(extent.length - this.#extentDone, chunk.length - offset);
      this.#handler.data(chunk.subarray(offset, offset + count), extent.offset + this.#extentDone);
      offset += count;
      this.#remaining -= count;
      this.#extentDone += count;
      if (this.#extentDone === extent.length) {
        this.#extentIndex++;
        this.#extentDone = 0;
      }
    }
    if (this.#remaining === 0) {
      this.#handler.finish();
      this.#skipBytes(this.#skip);
    }
    return offset;
  }

  #skipBytes(count: number): void {
    this.#skip = count;
    this.#step = count === 0 ? "header" : "skip";
  }
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.slice(0, end);
}
