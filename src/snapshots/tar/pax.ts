import { malformed } from "./header.ts";

/** Records of an extended header by keyword, values as raw bytes (pax(1), pax Extended Header). */
export type PaxRecords = Map<string, Uint8Array>;

const SPACE = 0x20;
const NEWLINE = 0x0a;
const EQUALS = 0x3d;

/** Parses "LENGTH KEYWORD=VALUE\n" records. An empty value takes the keyword back. Repeated keywords: the last wins, except GNU's sparse pairs. */
export function parsePax(bytes: Uint8Array, position: number): { records: PaxRecords; sparsePairs: number[] } {
  const records: PaxRecords = new Map();
  const sparsePairs: number[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const space = bytes.indexOf(SPACE, offset);
    const length = space < 0 ? Number.NaN : decimal(bytes.subarray(offset, space));
    const end = offset + length;
    // The smallest record is "5 a=\n"; anything shorter would not move on.
    if (!Number.isSafeInteger(length) || end > bytes.length || end <= space + 2 || bytes[end - 1] !== NEWLINE) {
      throw malformed("a broken record in an extended header", position);
    }
    const equals = bytes.indexOf(EQUALS, space + 1);
    if (equals < 0 || equals >= end) throw malformed("an extended header record without a value", position);
    const keyword = Buffer.from(bytes.subarray(space + 1, equals)).toString("utf8");
    const value = bytes.slice(equals + 1, end - 1);
    if (keyword === "GNU.sparse.offset" || keyword === "GNU.sparse.numbytes") {
      if ((keyword === "GNU.sparse.offset") !== (sparsePairs.length % 2 === 0)) {
        throw malformed("a broken sparse map in an extended header", position);
      }
      sparsePairs.push(decimal(value));
    } else if (value.length === 0 && !keyword.startsWith("SCHILY.xattr.")) records.delete(keyword);
    else records.set(keyword, value);
    offset = end;
  }
  return { records, sparsePairs };
}

/** A decimal number; NaN when it is not one or not safe. */
export function decimal(bytes: Uint8Array): number {
  if (bytes.length === 0 || bytes.length > 20) return Number.NaN;
  let value = 0;
  for (const byte of bytes) {
    if (byte < 0x30 || byte > 0x39) return Number.NaN;
    value = value * 10 + (byte - 0x30);
  }
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

/** "[-]SECONDS[.FRACTION]" as nanoseconds; digits beyond nine are cut. undefined when it is not a time. */
export function parsePaxTime(bytes: Uint8Array): bigint | undefined {
  const match = /^(-?)(\d{1,16})(?:\.(\d*))?$/.exec(Buffer.from(bytes).toString("latin1"));
  if (!match) return undefined;
  const [, sign, seconds = "0", fraction = ""] = match;
  const nanos = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return sign === "-" ? -nanos : nanos;
}

export function formatPaxTime(nanos: bigint): string {
  const sign = nanos < 0n ? "-" : "";
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  const seconds = (size / 1_000_000_000n).toString();
  return fraction === "" ? `${sign}${seconds}` : `${sign}${seconds}.${fraction}`;
}

/** The records as the content of an extended header, in the order given. */
export function formatPax(records: Iterable<readonly [string, string | Uint8Array]>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [keyword, value] of records) {
    const key = Buffer.from(` ${keyword}=`);
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    const rest = key.length + bytes.length + 1;
    // The length counts its own digits.
    let length = rest + String(rest).length;
    if (rest + String(length).length !== length) length = rest + String(length).length;
    parts.push(Buffer.from(String(length)), key, bytes, Uint8Array.of(NEWLINE));
  }
  return Buffer.concat(parts);
}
