import type { Encoder, Instruction } from "./instructions.ts";

/** Something the program reads: its label and its bytes, or numbers of 64 bits and addresses of other data. */
export interface Data {
  readonly label: string;
  readonly content: Uint8Array | readonly (bigint | { readonly at: string })[];
}

/** Memory of zeros that the program may write. */
export interface Scratch {
  readonly label: string;
  readonly size: number;
}

const HEADER = 64;
const SEGMENT_HEADER = 56;
/** Where its bytes lie in memory, and far above it what it writes: both above what the kernel keeps free, below 2 GiB. */
const BASE = 0x400000;
const SCRATCH = 0x10000000;
/** 64 KiB: the largest page of any processor. */
const PAGE = 0x10000;
const READ = 4;
const WRITE = 2;
const EXECUTE = 1;

/**
 * An executable file (elf(5)) that needs nothing else: one part that is read and run, one of zeros that is written, no part
 * that is both.
 */
export function programFile(
  encoder: Encoder,
  code: readonly Instruction[],
  data: readonly Data[],
  scratch: readonly Scratch[],
): Uint8Array {
  const places = new Map<string, number>();
  const where = (label: string): number => {
    const place = places.get(label);
    if (place === undefined) throw new Error(`The program has no ${label}`);
    return place;
  };
  let at = BASE + HEADER + 2 * SEGMENT_HEADER;
  const entry = at;
  for (const instruction of code) {
    if (instruction.op === "label") places.set(instruction.name, at);
    // A first pass: no length depends on an address.
    at += encoder.encode(instruction, 0, () => 0).length;
  }
  for (const { label, content } of data) {
    at = aligned(at);
    places.set(label, at);
    at += content instanceof Uint8Array ? content.byteLength : content.length * 8;
  }
  const size = at - BASE;
  let writable = SCRATCH;
  for (const { label, size } of scratch) {
    places.set(label, writable);
    writable = aligned(writable + size);
  }

  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  writeHeader(view, encoder.machine, entry);
  writeSegment(view, HEADER, { flags: READ | EXECUTE, address: BASE, stored: size, size });
  writeSegment(view, HEADER + SEGMENT_HEADER, {
    flags: READ | WRITE,
    address: SCRATCH,
    stored: 0,
    size: writable - SCRATCH,
  });
  let here = entry;
  for (const instruction of code) {
    const encoded = encoder.encode(instruction, here, where);
    bytes.set(encoded, here - BASE);
    here += encoded.length;
  }
  for (const { label, content } of data) {
    const start = where(label) - BASE;
    if (content instanceof Uint8Array) bytes.set(content, start);
    else
      content.forEach((value, index) => {
        view.setBigUint64(start + index * 8, typeof value === "bigint" ? value : BigInt(where(value.at)), true);
      });
  }
  return bytes;
}

const aligned = (address: number): number => Math.ceil(address / 8) * 8;

function writeHeader(view: DataView, machine: number, entry: number): void {
  // \x7fELF, 64 bits, little-endian, version 1.
  [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].forEach((byte, index) => {
    view.setUint8(index, byte);
  });
  view.setUint16(16, 2, true); // an executable at fixed addresses
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, BigInt(HEADER), true); // where the segment headers are
  view.setUint16(52, HEADER, true);
  view.setUint16(54, SEGMENT_HEADER, true);
  view.setUint16(56, 2, true); // two of them
}

function writeSegment(
  view: DataView,
  at: number,
  {
    flags,
    address,
    stored,
    size,
  }: { readonly flags: number; readonly address: number; readonly stored: number; readonly size: number },
): void {
  view.setUint32(at, 1, true); // to be loaded
  view.setUint32(at + 4, flags, true);
  view.setBigUint64(at + 16, BigInt(address), true);
  view.setBigUint64(at + 24, BigInt(address), true);
  view.setBigUint64(at + 32, BigInt(stored), true);
  view.setBigUint64(at + 40, BigInt(size), true);
  view.setBigUint64(at + 48, BigInt(PAGE), true);
}
