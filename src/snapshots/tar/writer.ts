import { HavreError } from "../../base/mod.ts";
import { checksums, FIELD, type Field, putOctal } from "./fields.ts";
import { BLOCK, type Extent, paddingAfter, type TarHeaderInit, type TarType } from "./header.ts";
import { formatPax, formatPaxTime } from "./pax.ts";

const FLAGS: Readonly<Record<TarType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** What ends an archive. */
export const TAR_TRAILER: Uint8Array = new Uint8Array(2 * BLOCK);

const ZEROS = new Uint8Array(BLOCK);

/** The zeros that follow `size` bytes of content. */
export function tarPadding(size: number): Uint8Array {
  return ZEROS.subarray(0, paddingAfter(size));
}

/**
 * The blocks that introduce a member: ustar, with a PAX extended header before it where ustar cannot say it (long or
 * non-ASCII names, large numbers, fractions of seconds, extended attributes, holes). The same input gives the same bytes.
 * For a sparse file only the bytes of its extents follow.
 */
export function encodeTarHeader(init: TarHeaderInit): Uint8Array {
  const type = init.type ?? "file";
  const size = type === "file" ? (init.size ?? 0) : 0;
  const name = bytesOf(init.path);
  const link = bytesOf(init.linkTarget ?? "");
  const records: [string, string | Uint8Array][] = [];
  const block = new Uint8Array(BLOCK);

  const extents = type === "file" ? init.extents : undefined;
  const map = extents ? sparseMap(extents, size) : undefined;
  const stored = map && extents ? map.length + extents.reduce((sum, extent) => sum + extent.length, 0) : size;
  if (map) {
    records.push(["GNU.sparse.major", "1"], ["GNU.sparse.minor", "0"], ["GNU.sparse.name", name]);
    records.push(["GNU.sparse.realsize", String(size)]);
    put(block, FIELD.name, name.subarray(0, 100));
  } else putName(block, name, records);
  if (link.length > 100 || !isAscii(link)) records.push(["linkpath", link]);
  put(block, FIELD.link, link.subarray(0, 100));

  putOctal(block, FIELD.mode, (init.mode ?? (type === "directory" ? 0o755 : 0o644)) & 0o7777);
  putNumber(block, FIELD.uid, "uid", init.uid ?? 0, records);
  putNumber(block, FIELD.gid, "gid", init.gid ?? 0, records);
  putNumber(block, FIELD.size, "size", stored, records);
  putTime(block, init.mtime ?? 0n, records);
  block[FIELD.type[0]] = FLAGS[type].charCodeAt(0);
  put(block, FIELD.magic, Buffer.from("ustar\x0000", "latin1"));
  putText(block, FIELD.uname, "uname", init.uname ?? "", records);
  putText(block, FIELD.gname, "gname", init.gname ?? "", records);
  if (type === "char" || type === "block") {
    putNumber(block, FIELD.devMajor, "SCHILY.devmajor", init.devMajor ?? 0, records);
    putNumber(block, FIELD.devMinor, "SCHILY.devminor", init.devMinor ?? 0, records);
  }
  for (const [key, value] of [...(init.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (key.includes("=")) {
      throw new HavreError("invalid-argument", `The extended attribute ${key} of ${init.path} cannot stand in a tar`);
    }
    records.push([`SCHILY.xattr.${key}`, value]);
  }
  seal(block);
  const parts = records.length === 0 ? [block] : [...extendedHeader(name, records), block];
  return Buffer.concat(map ? [...parts, map] : parts);
}

export interface TarMember {
  readonly header: TarHeaderInit;
  /** Exactly the bytes the header promises; of a sparse file those of its extents. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Writes an archive. `data-loss` when a body is not as long as its header says. */
export async function* writeTar(members: AsyncIterable<TarMember> | Iterable<TarMember>): AsyncGenerator<Uint8Array> {
  for await (const { header, body } of members) {
    yield encodeTarHeader(header);
    const type = header.type ?? "file";
    const expected = type !== "file" ? 0 : storedSize(header);
    let written = 0;
    if (body instanceof Uint8Array) {
      written = body.length;
      if (written > 0 && written === expected) yield body;
    } else if (body) {
      for await (const chunk of body) {
        written += chunk.length;
        if (written > expected) break;
        yield chunk;
      }
    }
    if (written !== expected) {
      throw new HavreError("data-loss", `${header.path} changed while it was read: not ${expected} bytes any more`);
    }
    const padding = tarPadding(expected);
    if (padding.length > 0) yield padding;
  }
  yield TAR_TRAILER;
}

function storedSize(header: TarHeaderInit): number {
  return header.extents?.reduce((sum, extent) => sum + extent.length, 0) ?? header.size ?? 0;
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? Buffer.from(text) : text;
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 128);
}

function put(block: Uint8Array, [offset]: Field, bytes: Uint8Array): void {
  block.set(bytes, offset);
}

/** Whole in `name`, or split at a slash into `prefix` and `name`, or in an extended header. */
function putName(block: Uint8Array, name: Uint8Array, records: [string, string | Uint8Array][]): void {
  if (isAscii(name)) {
    if (name.length <= 100) {
      put(block, FIELD.name, name);
      return;
    }
    const slash = name.indexOf(0x2f, name.length - 101);
    if (slash > 0 && slash <= 155 && slash < name.length - 1) {
      put(block, FIELD.prefix, name.subarray(0, slash));
      put(block, FIELD.name, name.subarray(slash + 1));
      return;
    }
  }
  records.push(["path", name]);
  put(block, FIELD.name, name.subarray(0, 100));
}

function putNumber(
  block: Uint8Array,
  field: Field,
  keyword: string,
  value: number,
  records: [string, string | Uint8Array][],
): void {
  if (putOctal(block, field, value)) return;
  records.push([keyword, String(value)]);
  putOctal(block, field, 0);
}

function putTime(block: Uint8Array, mtime: bigint, records: [string, string | Uint8Array][]): void {
  const seconds = mtime / 1_000_000_000n;
  const whole = mtime >= 0n && mtime % 1_000_000_000n === 0n;
  if (whole && putOctal(block, FIELD.mtime, Number(seconds))) return;
  records.push(["mtime", formatPaxTime(mtime)]);
  if (mtime < 0n || !putOctal(block, FIELD.mtime, Number(seconds))) putOctal(block, FIELD.mtime, 0);
}

function putText(
  block: Uint8Array,
  field: Field,
  keyword: string,
  text: string,
  records: [string, string | Uint8Array][],
): void {
  const bytes = Buffer.from(text);
  if (bytes.length < field[1] && isAscii(bytes)) put(block, field, bytes);
  else records.push([keyword, bytes]);
}

function seal(block: Uint8Array): void {
  const [offset] = FIELD.checksum;
  Buffer.from(block.buffer, block.byteOffset + offset, 8).write(
    `${checksums(block).unsigned.toString(8).padStart(6, "0")}\0 `,
    "latin1",
  );
}

function extendedHeader(name: Uint8Array, records: readonly [string, string | Uint8Array][]): Uint8Array[] {
  const binary = records.some(([keyword, value]) => !keyword.includes("xattr") && !isUtf8(value));
  const body = formatPax(binary ? [["hdrcharset", "BINARY"], ...records] : records);
  const base = name.subarray(name.lastIndexOf(0x2f, name.length - 2) + 1);
  const title = Buffer.concat([Buffer.from("PaxHeaders.0/"), base.map((byte) => (byte < 128 ? byte : 0x5f))]);
  return paxBlocks("x", title, body);
}

/** Records about the whole archive (PAX global extended header), which readers that do not know their keywords pass over. */
export function encodeGlobalHeader(records: readonly (readonly [keyword: string, value: string])[]): Uint8Array {
  return Buffer.concat(paxBlocks("g", Buffer.from("GlobalHead.0"), formatPax(records)));
}

function paxBlocks(type: "x" | "g", title: Uint8Array, body: Uint8Array): Uint8Array[] {
  const block = new Uint8Array(BLOCK);
  put(block, FIELD.name, title.subarray(0, 100));
  putOctal(block, FIELD.mode, 0o644);
  for (const field of [FIELD.uid, FIELD.gid, FIELD.mtime]) putOctal(block, field, 0);
  putOctal(block, FIELD.size, body.length);
  block[FIELD.type[0]] = type.charCodeAt(0);
  put(block, FIELD.magic, Buffer.from("ustar\x0000", "latin1"));
  seal(block);
  return [block, body, tarPadding(body.length)];
}

function isUtf8(value: string | Uint8Array): boolean {
  if (typeof value === "string") return true;
  return Buffer.from(Buffer.from(value).toString("utf8")).equals(Buffer.from(value));
}

/** PAX 1.0 map, padded to whole blocks. An empty extent at the end says how far the last hole goes. */
function sparseMap(extents: readonly Extent[], size: number): Uint8Array {
  const last = extents.at(-1);
  const all = last && last.offset + last.length === size ? extents : [...extents, { offset: size, length: 0 }];
  const text = [String(all.length), ...all.flatMap(({ offset, length }) => [String(offset), String(length)])];
  const bytes = Buffer.from(`${text.join("\n")}\n`);
  return Buffer.concat([bytes, tarPadding(bytes.length)]);
}
