import { BLOCK } from "./header.ts";

/** Where each field of a header block lies: [offset, length] (pax(1), ustar Interchange Format; GNU tar manual, Basic Tar Format). */
export const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devMajor: [329, 8],
  devMinor: [337, 8],
  prefix: [345, 155],
  starPrefix: [345, 131],
  starTrailer: [508, 4],
  gnuSparse: [386, 96],
  gnuExtended: [482, 1],
  gnuRealSize: [483, 12],
} as const satisfies Record<string, readonly [number, number]>;

export type Field = readonly [number, number];

/** The bytes of a field up to its first NUL. A view, not a copy. */
export function textField(block: Uint8Array, [offset, length]: Field): Uint8Array {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** A number in octal digits or GNU's base 256; undefined when it is neither or not a safe integer. */
export function numberField(block: Uint8Array, [offset, length]: Field): number | undefined {
  const first = block[offset] ?? 0;
  if (first & 0x80) {
    let value = first & 0x40 ? -1n : 0n;
    value = (value << 6n) | BigInt(first & 0x3f);
    for (let index = 1; index < length; index++) value = (value << 8n) | BigInt(block[offset + index] ?? 0);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : undefined;
  }
  let index = offset;
  let end = offset + length;
  while (index < end && (block[index] === 0x20 || block[index] === 0)) index++;
  while (end > index && (block[end - 1] === 0x20 || block[end - 1] === 0)) end--;
  let value = 0;
  for (; index < end; index++) {
    const digit = (block[index] ?? 0) - 0x30;
    // What follows a NUL inside the field is rubbish that old writers left there.
    if (digit === -0x30) break;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The header's checksum as unsigned and as (historic) signed sum, its own field counted as spaces. */
export function checksums(block: Uint8Array): { readonly unsigned: number; readonly signed: number } {
  const [from, length] = FIELD.checksum;
  let unsigned = 0;
  let negative = 0;
  for (let index = 0; index < BLOCK; index++) {
    const byte = index >= from && index < from + length ? 0x20 : (block[index] ?? 0);
    unsigned += byte;
    if (byte > 127) negative++;
  }
  return { unsigned, signed: unsigned - 256 * negative };
}

export function isZeroBlock(block: Uint8Array): boolean {
  for (let index = 0; index < BLOCK; index++) if (block[index] !== 0) return false;
  return true;
}

/** Writes octal digits, zero-filled and NUL-terminated. False when the number does not fit. */
export function putOctal(block: Uint8Array, [offset, length]: Field, value: number): boolean {
  const digits = value.toString(8);
  if (value < 0 || digits.length > length - 1) return false;
  Buffer.from(block.buffer, block.byteOffset + offset, length).write(digits.padStart(length - 1, "0"), "latin1");
  block[offset + length - 1] = 0;
  return true;
}
