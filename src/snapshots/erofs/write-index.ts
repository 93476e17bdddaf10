import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from "../../kernel/mod.ts";
import type { ByteName } from "../tree/names.ts";
import {
  aligned,
  BLOCK,
  DIRENT_SIZE,
  deviceNumber,
  INODE_SIZE,
  INODE_SLOT,
  META_OFFSET,
  writeInode,
  writeSuperBlock,
  writeXattrs,
  xattrSize,
} from "./format.ts";
import type { Attributes, FolderNode, Node } from "./node.ts";

const OPAQUE: readonly [string, Uint8Array] = ["trusted.overlay.opaque", Buffer.from("y")];
const KIND = {
  file: S_IFREG,
  directory: S_IFDIR,
  symlink: S_IFLNK,
  char: S_IFCHR,
  block: S_IFBLK,
  fifo: S_IFIFO,
} as const;
/** Directory entries tell the kind of what they name. */
const ENTRY_TYPE = { file: 1, directory: 2, char: 3, block: 4, fifo: 5, symlink: 7 } as const;
const NO_ATTRIBUTES: Attributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0n, xattrs: new Map() };

/** A node with its place in the index. */
interface Placed {
  readonly node: Node;
  readonly parent: Placed | undefined;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Byte of the inode. */
  inodeAt: number;
  /** Hard links, or what a folder's `.` and `..` make of it. */
  links: number;
  /** First byte of what it keeps in the index itself: entries of a folder, a link's target. */
  dataAt: number;
  readonly dataSize: number;
  /** Of a folder: its entries, block by block. */
  readonly blocks: readonly (readonly Entry[])[];
}

type Entry = readonly [name: ByteName, node: Node];

export interface WrittenIndex {
  readonly bytes: Buffer;
  readonly inodes: number;
  /** Bytes of files as `ls -l` shows them, folders not counted; one with several names once. */
  readonly content: number;
}

/**
 * The index of a tree whose files' content lies in a tar of `tarBytes` bytes: an EROFS image that has the tar as its
 * second device. Equal trees give equal bytes.
 */
export function writeIndex(root: FolderNode, tarBytes: number): WrittenIndex {
  const placed = place(root);
  const all = [...placed.values()];
  let at = META_OFFSET;
  for (const one of all) {
    one.inodeAt = at;
    at += aligned(INODE_SIZE + xattrSize(one.xattrs), INODE_SIZE);
  }
  at = aligned(at, BLOCK);
  for (const one of all) {
    one.dataAt = at;
    at += aligned(one.dataSize, BLOCK);
  }
  const bytes = Buffer.alloc(at);
  const blocks = at / BLOCK;
  const deviceBlocks = Math.ceil(tarBytes / BLOCK);
  writeSuperBlock(bytes, { rootNid: nid(placed, root), inodes: all.length, blocks, deviceBlocks });
  for (const [number, one] of all.entries()) {
    write(bytes, one, number + 1, blocks);
    if (one.node.type === "directory") writeEntries(bytes, one, placed);
    else if (one.node.type === "symlink") bytes.set(one.node.target, one.dataAt);
  }
  const content = all.reduce(
    (sum, { node, dataSize }) => sum + (node.type === "file" ? node.size : node.type === "symlink" ? dataSize : 0),
    0,
  );
  return { bytes, inodes: all.length, content };
}

/** Every node once, the root first, folders before what is in them. */
function place(root: FolderNode): Map<Node, Placed> {
  const placed = new Map<Node, Placed>();
  const add = (node: Node, parent: Placed | undefined): Placed => {
    const isFolder = node.type === "directory";
    const own = (node.attributes ?? NO_ATTRIBUTES).xattrs;
    const blocks = isFolder ? entryBlocks(node) : [];
    const one: Placed = {
      node,
      parent,
      xattrs: isFolder && node.opaque ? new Map([...own, OPAQUE]) : own,
      inodeAt: 0,
      links: isFolder ? 2 : 1,
      dataAt: 0,
      dataSize: node.type === "symlink" ? node.target.length : directorySize(blocks),
      blocks,
    };
    placed.set(node, one);
    return one;
  };
  const folders = [add(root, undefined)];
  for (let folder = folders.shift(); folder; folder = folders.shift()) {
    if (folder.node.type !== "directory") continue;
    for (const child of folder.node.children.values()) {
      const known = placed.get(child);
      if (known) {
        known.links++;
        continue;
      }
      const one = add(child, folder);
      if (child.type !== "directory") continue;
      folder.links++;
      folders.push(one);
    }
  }
  return placed;
}

/** Entries in order of their bytes, as many in a block as fit with their names. */
function entryBlocks(folder: FolderNode): readonly (readonly Entry[])[] {
  const entries: Entry[] = [[".", folder], ["..", folder], ...folder.children];
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const blocks: Entry[][] = [];
  let used = BLOCK;
  for (const entry of entries) {
    const size = DIRENT_SIZE + entry[0].length;
    if (used + size > BLOCK) {
      blocks.push([]);
      used = 0;
    }
    blocks.at(-1)?.push(entry);
    used += size;
  }
  return blocks;
}

/** The last block counts with what it uses. */
function directorySize(blocks: readonly (readonly Entry[])[]): number {
  const last = blocks.at(-1);
  if (!last) return 0;
  return (blocks.length - 1) * BLOCK + last.reduce((sum, [name]) => sum + DIRENT_SIZE + name.length, 0);
}

function nid(placed: ReadonlyMap<Node, Placed>, node: Node): number {
  return (placed.get(node)?.inodeAt ?? 0) / INODE_SLOT;
}

function write(bytes: Buffer, one: Placed, number: number, indexBlocks: number): void {
  const { node, xattrs, inodeAt, dataAt } = one;
  const { mode, uid, gid, mtime } = node.attributes ?? NO_ATTRIBUTES;
  const { links } = one;
  const base = { mode: KIND[node.type] | mode, number, uid, gid, mtime, links, xattrBytes: xattrSize(xattrs) };
  if (xattrs.size > 0) writeXattrs(bytes, inodeAt + INODE_SIZE, xattrs);
  switch (node.type) {
    case "file": {
      const block = node.size === 0 ? 0 : indexBlocks + node.offset / BLOCK;
      writeInode(bytes, inodeAt, { ...base, size: node.size, union: block });
      break;
    }
    case "directory":
      writeInode(bytes, inodeAt, { ...base, size: one.dataSize, union: dataAt / BLOCK });
      break;
    case "symlink":
      writeInode(bytes, inodeAt, {
        ...base,
        mode: S_IFLNK | 0o777,
        size: one.dataSize,
        union: dataAt / BLOCK,
      });
      break;
    default:
      writeInode(bytes, inodeAt, { ...base, size: 0, union: deviceNumber(node.major, node.minor) });
  }
}

function writeEntries(bytes: Buffer, folder: Placed, placed: ReadonlyMap<Node, Placed>): void {
  for (const [index, entries] of folder.blocks.entries()) {
    const start = folder.dataAt + index * BLOCK;
    let nameAt = entries.length * DIRENT_SIZE;
    for (const [position, [name, node]] of entries.entries()) {
      const at = start + position * DIRENT_SIZE;
      const named = name === ".." ? (folder.parent?.node ?? folder.node) : node;
      bytes.writeBigUInt64LE(BigInt(nid(placed, named)), at);
      bytes.writeUInt16LE(nameAt, at + 8);
      bytes.writeUInt8(ENTRY_TYPE[named.type], at + 10);
      bytes.write(name, start + nameAt, "latin1");
      nameAt += name.length;
    }
  }
}
