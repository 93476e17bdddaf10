/**
 * The table of chunks at the end of a gzip blob, where any reader of gzip passes over it: what each member before it has
 * in bytes, and a name made of those bytes. Who has it knows which parts of the blob are elsewhere already.
 *
 * The table is in the extra fields (RFC 1952 § 2.3.1.1, subfield `HV`) of empty members: some with entries of 4 bytes
 * length (little-endian) and 16 bytes name each, then one of fixed size that says how far back they begin.
 */
import { createHash } from "node:crypto";

/** Part of a blob that other blobs may have too. */
export interface Chunk {
  /** Bytes as they stand in the blob. */
  readonly length: number;
  /** Made of its bytes: two of one name are the same, or someone lies, which the digest of the blob shows. */
  readonly name: string;
}

/** Reads bytes `start` to before `end` of a blob. */
export type ReadPart = (start: number, end: number) => Promise<Uint8Array>;

const NAME_BYTES = 16;
const ENTRY = 4 + NAME_BYTES;
const HEAD = 10 + 2 + 4;
/** An empty deflate stream, the checksum and the size of nothing. */
const TAIL = Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const ENTRIES_PER_MEMBER = Math.floor((0xffff - 4) / ENTRY);
const MAGIC = Buffer.from("chunks-1");
const FOOTER_DATA = MAGIC.length + 4 + 4;
const FOOTER = HEAD + FOOTER_DATA + TAIL.length;
/** Bytes read at once: the whole table of most blobs. */
const FIRST_READ = 16 * 1024;
/** Bytes: of 100 GB in chunks. Nothing honest is larger. */
const LARGEST = 8 << 20;
/** A blob that is smaller is sent whole: a look at its table would cost about as much. */
export const SMALLEST_CHUNKED = 1 << 20;

/** The name of a chunk of these bytes. */
export function chunkName(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest().subarray(0, NAME_BYTES).toString("base64");
}

/** What stands behind the members that are `chunks`. */
export function encodeTable(chunks: readonly Chunk[]): Uint8Array {
  const members: Uint8Array[] = [];
  for (let first = 0; first < chunks.length; first += ENTRIES_PER_MEMBER) {
    members.push(emptyMember(entries(chunks.slice(first, first + ENTRIES_PER_MEMBER))));
  }
  const footer = Buffer.alloc(FOOTER_DATA);
  MAGIC.copy(footer);
  footer.writeUInt32LE(
    members.reduce((sum, { length }) => sum + length, 0),
    MAGIC.length,
  );
  footer.writeUInt32LE(chunks.length, MAGIC.length + 4);
  return Buffer.concat([...members, emptyMember(footer)]);
}

function entries(chunks: readonly Chunk[]): Uint8Array {
  const data = Buffer.alloc(chunks.length * ENTRY);
  for (const [at, { length, name }] of chunks.entries()) {
    data.writeUInt32LE(length, at * ENTRY);
    data.write(name, at * ENTRY + 4, NAME_BYTES, "base64");
  }
  return data;
}

function emptyMember(data: Uint8Array): Uint8Array {
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x48, 0x56, 0, 0]);
  head.writeUInt16LE(data.length + 4, 10);
  head.writeUInt16LE(data.length, 14);
  return Buffer.concat([head, data, TAIL]);
}

/** The chunks of a blob of `size` bytes, in order; what follows them is the table. undefined: it has none that can be believed. */
export async function readTable(size: number, read: ReadPart): Promise<readonly Chunk[] | undefined> {
  if (size < FOOTER) return undefined;
  const from = Math.max(0, size - FIRST_READ);
  const last = Buffer.from(await read(from, size));
  const footer = dataOf(last.subarray(-FOOTER), FOOTER_DATA);
  if (!footer?.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const tableSize = footer.readUInt32LE(MAGIC.length);
  const start = size - FOOTER - tableSize;
  if (tableSize > LARGEST || start < 0) return undefined;
  const missing = start < from ? await read(start, from) : new Uint8Array();
  const table = Buffer.concat([missing, last.subarray(Math.max(0, start - from), last.length - FOOTER)]);
  const chunks = decode(table);
  const isAll =
    chunks?.length === footer.readUInt32LE(MAGIC.length + 4) &&
    chunks.reduce((sum, { length }) => sum + length, 0) === start;
  return isAll ? chunks : undefined;
}

function decode(table: Buffer): readonly Chunk[] | undefined {
  const chunks: Chunk[] = [];
  for (let at = 0; at < table.length; ) {
    const data = dataOf(table.subarray(at));
    if (!data || data.length === 0 || data.length % ENTRY !== 0) return undefined;
    for (let entry = 0; entry < data.length; entry += ENTRY) {
      const name = data.toString("base64", entry + 4, entry + ENTRY);
      chunks.push({ length: data.readUInt32LE(entry), name });
    }
    at += HEAD + data.length + TAIL.length;
  }
  return chunks;
}

/** What the extra field of the empty member at the front holds. */
function dataOf(member: Buffer, expected?: number): Buffer | undefined {
  if (member.length < HEAD + TAIL.length || member.readUInt32BE(0) !== 0x1f8b0804) return undefined;
  if (member.toString("latin1", 12, 14) !== "HV") return undefined;
  const length = member.readUInt16LE(14);
  if (member.readUInt16LE(10) !== length + 4 || HEAD + length + TAIL.length > member.length) return undefined;
  return expected === undefined || expected === length ? member.subarray(HEAD, HEAD + length) : undefined;
}
