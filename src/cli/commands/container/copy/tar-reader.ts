import { HavreError } from "../../../../base/mod.ts";

const BLOCK = 512;
/** Names and other attributes of one entry are never longer. */
const ATTRIBUTES_LIMIT = 1024 * 1024;

export interface TarEntry {
  readonly name: string;
  readonly type: "file" | "folder" | "symlink" | "hardlink" | "fifo" | "device" | "other";
  readonly mode: number;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly link: string;
}

/** What is done with an archive's entries as they come. */
export interface TarHandler {
  /** Returns where a file's content goes. */
  entry(entry: TarEntry): ((chunk: Uint8Array) => void) | undefined;
  /** The content of the entry is complete. */
  finish(): void;
}

const TYPES: Readonly<Record<string, TarEntry["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "folder",
  "6": "fifo",
};

/** Reads a tar stream (ustar, pax, GNU long names) entry by entry; `data-loss` when it is cut short or malformed. */
export async function readTar(source: AsyncIterable<Uint8Array>, handler: TarHandler): Promise<void> {
  const reader = new TarReader(handler);
  for await (const chunk of source) reader.push(chunk);
  reader.end();
}

class TarReader {
  #held: Uint8Array = new Uint8Array(0);
  #left = 0;
  #padding = 0;
  #sink: ((chunk: Uint8Array) => void) | undefined;
  #attributes: Buffer[] | undefined;
  #attributesKind = "";
  #next: Record<string, string> = {};
  #inEntry = false;

  constructor(readonly handler: TarHandler) {}

  push(chunk: Uint8Array): void {
    let data = this.#held.byteLength > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    for (;;) {
      if (this.#left > 0) {
        const take = Math.min(this.#left, data.byteLength);
        if (take === 0) break;
        const part = data.subarray(0, take);
        if (this.#attributes) this.#attributes.push(Buffer.from(part));
        else this.#sink?.(part);
        this.#left -= take;
        data = data.subarray(take);
        continue;
      }
      this.#finishEntry();
      const skip = Math.min(this.#padding, data.byteLength);
      this.#padding -= skip;
      data = data.subarray(skip);
      if (this.#padding > 0 || data.byteLength < BLOCK) break;
      this.#header(Buffer.from(data.buffer, data.byteOffset, BLOCK));
      data = data.subarray(BLOCK);
    }
    this.#held = data.byteLength > 0 ? Buffer.from(data) : new Uint8Array(0);
  }

  end(): void {
    if (this.#left > 0) throw new HavreError("data-loss", "The archive ends in the middle of a file");
    this.#finishEntry();
  }

  #finishEntry(): void {
    if (!this.#inEntry) return;
    this.#inEntry = false;
    if (this.#attributes) this.#readAttributes(Buffer.concat(this.#attributes));
    else this.handler.finish();
    this.#attributes = undefined;
    this.#sink = undefined;
  }

  #header(block: Buffer): void {
    if (block.every((byte) => byte === 0)) return;
    const typeflag = block.toString("latin1", 156, 157);
    const size =
      this.#next.size === undefined || "xgLK".includes(typeflag) ? number(block, 124, 12) : Number(this.#next.size);
    this.#left = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    this.#inEntry = true;
    if ("xgLK".includes(typeflag)) {
      if (size > ATTRIBUTES_LIMIT)
        throw new HavreError("data-loss", "The archive has an entry with absurdly long attributes");
      this.#attributes = [];
      this.#attributesKind = typeflag;
      return;
    }
    const prefix = block.toString("latin1", 257, 262) === "ustar" ? text(block, 345, 155) : "";
    const short = text(block, 0, 100);
    const entry: TarEntry = {
      name: this.#next.path ?? (prefix === "" ? short : `${prefix}/${short}`),
      type: TYPES[typeflag] ?? "other",
      mode: number(block, 100, 8) & 0o7777,
      size,
      mtime: Number(this.#next.mtime ?? number(block, 136, 12)),
      link: this.#next.linkpath ?? text(block, 157, 100),
    };
    this.#next = {};
    // Links may carry the size of what they point to, without its content.
    if (entry.type !== "file") {
      this.#left = 0;
      this.#padding = 0;
    }
    this.#sink = this.handler.entry(entry);
  }

  #readAttributes(data: Buffer): void {
    if (this.#attributesKind === "L") this.#next.path = data.toString().replace(/\0.*$/s, "");
    else if (this.#attributesKind === "K") this.#next.linkpath = data.toString().replace(/\0.*$/s, "");
    else if (this.#attributesKind === "x") {
      for (let at = 0; at < data.byteLength; ) {
        const space = data.indexOf(32, at);
        const length = Number(data.toString("latin1", at, space));
        if (space < 0 || !(length > 0)) throw new HavreError("data-loss", "The archive has malformed attributes");
        const assignment = data.toString("utf8", space + 1, at + length - 1);
        const equals = assignment.indexOf("=");
        this.#next[assignment.slice(0, equals)] = assignment.slice(equals + 1);
        at += length;
      }
    }
  }
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString("utf8", at, end >= 0 && end < at + length ? end : at + length);
}

/** An octal number, or a binary one where the first bit says so (GNU). */
function number(block: Buffer, at: number, length: number): number {
  if (((block[at] ?? 0) & 0x80) !== 0) {
    let value = (block[at] ?? 0) & 0x7f;
    for (let offset = 1; offset < length; offset++) value = value * 256 + (block[at + offset] ?? 0);
    return value;
  }
  return Number.parseInt(text(block, at, length).trim() || "0", 8);
}
