import { checksums, FIELD, numberField, textField } from "./fields.ts";
import { malformed, type TarHeader, type TarType } from "./header.ts";
import { decimal, type PaxRecords, parsePaxTime } from "./pax.ts";

/** A header block before extensions are applied: `flag` is its type byte, `size` the stored bytes that follow. */
export interface BaseHeader {
  readonly flag: string;
  readonly size: number;
  readonly block: Uint8Array;
  readonly prefix: Uint8Array;
}

const MAX_ID = 0xffff_fffe;
const EMPTY = new Uint8Array();

/** Verifies the checksum and reads what decides how to go on. */
export function readBase(block: Uint8Array, position: number): BaseHeader {
  const stored = numberField(block, FIELD.checksum);
  const { unsigned, signed } = checksums(block);
  if (stored === undefined || (stored !== unsigned && stored !== signed)) {
    throw malformed(position === 0 ? "not a tar header" : "the checksum of a header does not fit", position);
  }
  const size = numberField(block, FIELD.size);
  if (size === undefined || size < 0) throw malformed("a broken size", position);
  return { flag: String.fromCharCode(block[FIELD.type[0]] ?? 0), size, block, prefix: prefixOf(block) };
}

/** GNU's headers keep other things where ustar has the rest of a long name. */
function prefixOf(block: Uint8Array): Uint8Array {
  const magic = Buffer.from(block.subarray(257, 263)).toString("latin1");
  if (magic !== "ustar\0") return EMPTY;
  const trailer = Buffer.from(block.subarray(508, 512)).toString("latin1");
  return textField(block, trailer === "tar\0" ? FIELD.starPrefix : FIELD.prefix);
}

export interface Extensions {
  readonly pax: PaxRecords | undefined;
  readonly longName: Uint8Array | undefined;
  readonly longLink: Uint8Array | undefined;
}

const TYPES: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  D: "directory",
  "6": "fifo",
};

/** What a header block and its extensions say together. `size` is the stored size: the caller puts a sparse file's own. */
export function buildHeader(base: BaseHeader, { pax, longName, longLink }: Extensions, position: number): TarHeader {
  const { block, flag } = base;
  let type = Object.hasOwn(TYPES, flag) ? TYPES[flag] : undefined;
  if (type === undefined) {
    throw malformed(`a member of the unknown type ${JSON.stringify(flag)}`, position);
  }
  const rawPath = pax?.get("GNU.sparse.name") ?? pax?.get("path") ?? longName ?? joinPrefix(base);
  const rawLinkTarget = pax?.get("linkpath") ?? longLink ?? textField(block, FIELD.link).slice();
  if (rawPath.includes(0) || rawLinkTarget.includes(0)) throw malformed("a name with a NUL byte", position);
  // Before POSIX a folder was an ordinary member whose name ends in a slash.
  if (type === "file" && flag === "\0" && rawPath.at(-1) === 0x2f) type = "directory";
  const isLink = type === "hardlink" || type === "symlink";
  const isDevice = type === "char" || type === "block";
  const number = (field: readonly [number, number], what: string): number => {
    const value = numberField(block, field);
    if (value === undefined) throw malformed(`a broken ${what}`, position);
    return value;
  };
  const owner = (keyword: "uid" | "gid"): number => {
    const record = pax?.get(keyword);
    const value = record ? decimal(record) : number(FIELD[keyword], keyword);
    // The highest value means "leave it" to chown(2): it must never reach it.
    if (!(value >= 0 && value <= MAX_ID)) throw malformed(`a ${keyword} that no user can have`, position);
    return value;
  };
  const text = (keyword: "uname" | "gname"): string =>
    Buffer.from(pax?.get(keyword) ?? textField(block, FIELD[keyword])).toString("utf8");
  const target = isLink ? rawLinkTarget : EMPTY;
  return {
    type,
    path: Buffer.from(rawPath).toString("utf8"),
    rawPath,
    linkTarget: Buffer.from(target).toString("utf8"),
    rawLinkTarget: target,
    mode: number(FIELD.mode, "mode") & 0o7777,
    uid: owner("uid"),
    gid: owner("gid"),
    uname: text("uname"),
    gname: text("gname"),
    size: type === "file" ? base.size : 0,
    mtime: modified(base, pax, position),
    devMajor: isDevice ? number(FIELD.devMajor, "device number") : 0,
    devMinor: isDevice ? number(FIELD.devMinor, "device number") : 0,
    xattrs: xattrsOf(pax, position),
  };
}

function joinPrefix({ block, prefix }: BaseHeader): Uint8Array {
  const name = textField(block, FIELD.name);
  return prefix.length === 0 ? name.slice() : new Uint8Array(Buffer.concat([prefix, Buffer.from("/"), name]));
}

function modified({ block }: BaseHeader, pax: PaxRecords | undefined, position: number): bigint {
  const record = pax?.get("mtime");
  const seconds = record ? undefined : numberField(block, FIELD.mtime);
  const time = record ? parsePaxTime(record) : seconds === undefined ? undefined : BigInt(seconds) * 1_000_000_000n;
  if (time === undefined) throw malformed("a broken modification time", position);
  return time;
}

const SCHILY = "SCHILY.xattr.";
const LIBARCHIVE = "LIBARCHIVE.xattr.";
const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

function xattrsOf(pax: PaxRecords | undefined, position: number): ReadonlyMap<string, Uint8Array> {
  if (!pax) return NO_XATTRS;
  let xattrs: Map<string, Uint8Array> | undefined;
  for (const [keyword, value] of pax) {
    let name: string;
    let bytes = value;
    if (keyword.startsWith(SCHILY)) name = keyword.slice(SCHILY.length);
    else if (keyword.startsWith(LIBARCHIVE)) {
      name = percentDecoded(keyword.slice(LIBARCHIVE.length), position);
      bytes = new Uint8Array(Buffer.from(Buffer.from(value).toString("latin1"), "base64"));
    } else continue;
    if (name === "" || name.includes("\0")) throw malformed("an extended attribute without a name", position);
    xattrs ??= new Map();
    // Writers that give both forms give the same value; the exact one wins.
    if (keyword.startsWith(SCHILY) || !xattrs.has(name)) xattrs.set(name, bytes);
  }
  return xattrs ?? NO_XATTRS;
}

function percentDecoded(text: string, position: number): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) throw malformed("a broken name of an extended attribute", position);
    throw error;
  }
}
