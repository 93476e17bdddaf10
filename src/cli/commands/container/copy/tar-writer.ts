import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats } from "node:fs";
import { join } from "node:path";

const BLOCK = 512;
const CHUNK = 256 * 1024;
/** Largest number that fits eleven octal digits. */
const LARGEST_OCTAL = 0o77777777777;

/**
 * An archive (POSIX pax) of a file or a folder with all that is in it, `name` being what it is called there. Symbolic
 * links are kept, except the top one when `follow` has resolved it before.
 */
export async function* writeTar(path: string, name: string): AsyncGenerator<Uint8Array> {
  yield* entry(path, name, new Map());
  yield Buffer.alloc(2 * BLOCK);
}

/** A folder as it goes into an archive. */
export interface PackedFolder {
  readonly path: string;
  /** What it is called there; empty: its files stand at the top. */
  readonly name: string;
  /** False leaves out a path relative to it, a folder with all that is in it. */
  readonly keeps: (path: string, isFolder: boolean) => boolean;
}

/** An archive of what is in folders; owners are root, as builds want them. */
export async function* writeFolders(folders: readonly PackedFolder[]): AsyncGenerator<Uint8Array> {
  for (const { path, name, keeps } of folders) {
    const seen = new Map<string, string>();
    const prefix = name === "" ? "" : `${name}/`;
    const filter = {
      keeps: (inside: string, isFolder: boolean) => keeps(inside.slice(prefix.length), isFolder),
      owner: { uid: 0, gid: 0 },
    };
    // Empty, it is there all the same.
    if (name !== "") yield header({ name: prefix, stat: lstatSync(path), type: "5", link: "", size: 0 });
    for (const child of readdirSync(path).sort()) yield* entry(join(path, child), prefix + child, seen, filter);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** An archive of one file with this text. */
export async function* writeTarFile(
  name: string,
  text: string,
  owner: { readonly uid: number; readonly gid: number; readonly mode: number },
): AsyncGenerator<Uint8Array> {
  yield fileEntry(name, text, owner);
  yield Buffer.alloc(2 * BLOCK);
}

type Owner = Pick<Stats, "uid" | "gid">;

function fileEntry(name: string, text: string, owner: Owner & Pick<Stats, "mode">): Buffer {
  const body = Buffer.from(text);
  const stat = { ...owner, mtimeMs: Date.now(), rdev: 0 };
  const padding = Buffer.alloc((BLOCK - (body.byteLength % BLOCK)) % BLOCK);
  return Buffer.concat([header({ name, stat, type: "0", link: "", size: body.byteLength }), body, padding]);
}

interface Filter {
  readonly keeps: PackedFolder["keeps"];
  readonly owner: Owner;
}

async function* entry(
  path: string,
  name: string,
  seen: Map<string, string>,
  filter?: Filter,
): AsyncGenerator<Uint8Array> {
  const found = lstatSync(path);
  if (filter && !filter.keeps(name, found.isDirectory())) return;
  const stat = Object.assign(found, filter?.owner);
  const key = `${stat.dev}:${stat.ino}`;
  const earlier = stat.nlink > 1 && stat.isFile() ? seen.get(key) : undefined;
  if (earlier !== undefined) {
    yield header({ name, stat, type: "1", link: earlier, size: 0 });
    return;
  }
  if (stat.isFile()) {
    if (stat.nlink > 1) seen.set(key, name);
    yield header({ name, stat, type: "0", link: "", size: stat.size });
    yield* content(path, stat.size);
  } else if (stat.isDirectory()) {
    yield header({ name: `${name}/`, stat, type: "5", link: "", size: 0 });
    for (const child of readdirSync(path).sort()) yield* entry(join(path, child), `${name}/${child}`, seen, filter);
  } else if (stat.isSymbolicLink()) yield header({ name, stat, type: "2", link: readlinkSync(path), size: 0 });
  else if (stat.isFIFO()) yield header({ name, stat, type: "6", link: "", size: 0 });
  else if (stat.isCharacterDevice()) yield header({ name, stat, type: "3", link: "", size: 0 });
  else if (stat.isBlockDevice()) yield header({ name, stat, type: "4", link: "", size: 0 });
  // A socket cannot be archived: it means nothing without its owner.
}

/** Exactly `size` bytes whatever happens to the file meanwhile: the header has promised them. */
function* content(path: string, size: number): Generator<Uint8Array> {
  const fd = openSync(path, "r");
  try {
    let left = size;
    while (left > 0) {
      const buffer = Buffer.alloc(Math.min(CHUNK, left));
      const count = readSync(fd, buffer, 0, buffer.byteLength, null);
      left -= count === 0 ? buffer.byteLength : count;
      yield count === 0 ? buffer : buffer.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
  const rest = size % BLOCK;
  if (rest > 0) yield Buffer.alloc(BLOCK - rest);
}

interface Header {
  readonly name: string;
  readonly stat: Pick<Stats, "mode" | "uid" | "gid" | "mtimeMs" | "rdev">;
  readonly type: string;
  readonly link: string;
  readonly size: number;
}

function header({ name, stat, type, link, size }: Header): Buffer {
  const extended = [
    Buffer.byteLength(name) > 100 ? record("path", name) : "",
    Buffer.byteLength(link) > 100 ? record("linkpath", link) : "",
    size > LARGEST_OCTAL ? record("size", String(size)) : "",
    record("mtime", (stat.mtimeMs / 1000).toFixed(9)),
  ].join("");
  const own = block(name, link, type, size, stat);
  const body = Buffer.from(extended);
  const padded = Buffer.alloc(Math.ceil(body.byteLength / BLOCK) * BLOCK);
  body.copy(padded);
  return Buffer.concat([block("PaxHeaders/entry", "", "x", body.byteLength, stat), padded, own]);
}

/** A pax record counts its own length, digits included. */
function record(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(body);
  let total = length + String(length).length;
  if (String(total).length !== String(length).length) total = length + String(total).length;
  return `${total}${body}`;
}

function block(name: string, link: string, type: string, size: number, stat: Header["stat"]): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number) =>
    bytes.write(
      `${Math.min(value, 8 ** (width - 1) - 1)
        .toString(8)
        .padStart(width - 1, "0")}\0`,
      at,
      "latin1",
    );
  bytes.write(name, 0, 100);
  octal(stat.mode & 0o7777, 100, 8);
  octal(stat.uid, 108, 8);
  octal(stat.gid, 116, 8);
  octal(size, 124, 12);
  octal(Math.max(0, Math.trunc(stat.mtimeMs / 1000)), 136, 12);
  bytes.write("        ", 148, "latin1");
  bytes.write(type, 156, "latin1");
  bytes.write(link, 157, 100);
  bytes.write("ustar\x0000", 257, "latin1");
  if (type === "3" || type === "4") {
    octal((stat.rdev >> 8) & 0xfff, 329, 8);
    octal((stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00), 337, 8);
  }
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}
