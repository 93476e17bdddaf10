import { HavreError } from "../../base/mod.ts";
import type { TarHeader } from "../tar/header.ts";
import type { TarHandler } from "../tar/parser.ts";
import { type ByteName, components, shown } from "../tree/names.ts";
import { OVERLAY_XATTRS, WHITEOUT_META, WHITEOUT_OPAQUE, WHITEOUT_PREFIX } from "../tree/whiteout.ts";
import { type Attributes, type FolderNode, isWhiteoutNode, type Node, newFolder, newWhiteout } from "./node.ts";

/** More is unpacked instead: an index of it would take much memory while it is made. */
const MOST_MEMBERS = 400_000;
/** Of all attributes and links' targets together: they are in memory until the index is written. */
const MOST_KEPT_BYTES = 64 << 20;
const LONGEST_NAME = 255;
/** PATH_MAX, less what the tree itself lies below. */
const LONGEST_PATH = 3800;
const LONGEST_LINK = 4095;
/** All attributes of a file stand behind its inode; what the format can count is less than what any file system stores. */
const MOST_XATTR_BYTES = 16 * 1024;
const PREFIXES = /^(?:user|trusted|security)\.|^system\.posix_acl_(?:access|default)$/;

/** The archive asks for something that only unpacking answers; why is in the message. */
export class NotIndexable extends Error {}

/**
 * The tree that a layer's archive makes, from its headers alone: the same one `TreeExtractor` unpacks, or
 * `NotIndexable` where the archive leans on a link, a layer below, or holes.
 */
export class TreeBuilder implements TarHandler {
  readonly root: FolderNode = newFolder();
  /** The layer hides everything below its top folder. */
  opaqueRoot = false;
  /** Bytes of file content. */
  size = 0;
  readonly #contentOffset: () => number;
  /** And folders that no member is about: one path may bring a thousand. */
  #members = 0;
  #kept = 0;

  /** `contentOffset`: where in the archive the content of the member being told begins. */
  constructor(contentOffset: () => number) {
    this.#contentOffset = contentOffset;
  }

  entry(header: TarHeader): void {
    this.#count();
    if (header.extents) throw new NotIndexable("a sparse file");
    if (header.rawPath.length > LONGEST_PATH) throw new NotIndexable("a path that no program can name");
    const parts = components(header.rawPath);
    const name = parts.pop();
    if (name === undefined) this.#top(header);
    else if (name.startsWith(WHITEOUT_PREFIX)) this.#whiteout(parts, name);
    else this.#make(header, parts, name);
  }

  data(bytes: Uint8Array): void {
    this.size += bytes.length;
  }

  finish(): void {}

  #count(): void {
    if (++this.#members > MOST_MEMBERS) throw new NotIndexable(`more than ${MOST_MEMBERS} members`);
  }

  #keep(bytes: number): void {
    this.#kept += bytes;
    if (this.#kept > MOST_KEPT_BYTES) throw new NotIndexable("attributes and links of too many bytes");
  }

  #attributes(header: TarHeader): Attributes {
    const attributes = attributesOf(header);
    for (const [name, value] of attributes.xattrs) this.#keep(name.length + value.length);
    return attributes;
  }

  #top(header: TarHeader): void {
    if (header.type !== "directory")
      throw new HavreError("invalid-argument", `Refused archive: its top is not a folder but a ${header.type}`);
    this.root.attributes = this.#attributes(header);
  }

  #whiteout(parts: readonly ByteName[], name: ByteName): void {
    if (name === WHITEOUT_OPAQUE) {
      if (parts.length === 0) this.opaqueRoot = true;
      else this.#folder(parts).opaque = true;
      return;
    }
    if (name.startsWith(WHITEOUT_META)) return;
    const hidden = name.slice(WHITEOUT_PREFIX.length);
    if (hidden === "" || hidden === "." || hidden === "..")
      throw new HavreError("invalid-argument", `Refused archive: ${shown(name)} hides nothing that can have a name`);
    const folder = this.#folder(parts);
    const existing = folder.children.get(hidden);
    // A whiteout hides what lower layers have, not what this one brings (OCI layer.md § Whiteouts).
    if (!existing) folder.children.set(checkName(hidden), newWhiteout());
    else if (existing.type === "directory") existing.opaque = true;
  }

  #make(header: TarHeader, parts: readonly ByteName[], name: ByteName): void {
    const folder = this.#folder(parts);
    checkName(name);
    if (header.type === "directory") this.#directory(folder, name, this.#attributes(header));
    else if (header.type === "hardlink") this.#hardLink(header, folder, name);
    else folder.children.set(name, this.#file(header));
  }

  #directory(folder: FolderNode, name: ByteName, attributes: Attributes): void {
    const existing = folder.children.get(name);
    if (existing?.type === "directory") {
      existing.attributes = attributes;
      return;
    }
    const made = newFolder(attributes);
    made.opaque = existing !== undefined && isWhiteoutNode(existing);
    folder.children.set(name, made);
  }

  #hardLink(header: TarHeader, folder: FolderNode, name: ByteName): void {
    const parts = components(header.rawLinkTarget);
    const last = parts.pop();
    const target = last === undefined ? undefined : this.#existing(parts)?.children.get(last);
    if (!target || target.type === "directory" || isWhiteoutNode(target))
      throw new NotIndexable("a hard link into a layer below");
    folder.children.set(name, target);
  }

  #file(header: TarHeader): Node {
    const attributes = this.#attributes(header);
    switch (header.type) {
      case "file":
        return { type: "file", attributes, size: header.size, offset: this.#contentOffset() };
      case "symlink": {
        const { length } = header.rawLinkTarget;
        if (length === 0 || length > LONGEST_LINK) throw new NotIndexable("a link that cannot be");
        this.#keep(length);
        return { type: "symlink", attributes, target: header.rawLinkTarget.slice() };
      }
      case "char":
      case "block":
      case "fifo":
        return { type: header.type, attributes, major: header.devMajor, minor: header.devMinor };
      default:
        throw new NotIndexable(`a ${header.type}`);
    }
  }

  /** The folder of that path, made where it is missing. */
  #folder(parts: readonly ByteName[]): FolderNode {
    let folder = this.root;
    for (const part of parts) {
      const next = folder.children.get(part);
      if (next?.type === "directory") folder = next;
      else if (next) throw new NotIndexable("a path through something that is no folder");
      else {
        this.#count();
        const made = newFolder();
        folder.children.set(checkName(part), made);
        folder = made;
      }
    }
    return folder;
  }

  #existing(parts: readonly ByteName[]): FolderNode | undefined {
    let folder: FolderNode | undefined = this.root;
    for (const part of parts) {
      const next: Node | undefined = folder?.children.get(part);
      folder = next?.type === "directory" ? next : undefined;
    }
    return folder;
  }
}

function checkName(name: ByteName): ByteName {
  if (name.length > LONGEST_NAME) throw new NotIndexable("a name that no tree can hold");
  return name;
}

/** What the extractor drops is dropped: notes of overlayfs itself, and attributes that the file cannot carry. */
function attributesOf({ mode, uid, gid, mtime, type, xattrs: all }: TarHeader): Attributes {
  const xattrs = new Map<string, Uint8Array>();
  let bytes = 0;
  for (const [name, value] of all) {
    if (name.startsWith(OVERLAY_XATTRS)) continue;
    if (name.startsWith("user.") && type !== "file" && type !== "directory") continue;
    bytes += name.length + value.length;
    if (!PREFIXES.test(name) || name.length > LONGEST_NAME || bytes > MOST_XATTR_BYTES)
      throw new NotIndexable(`the attribute ${name}`);
    xattrs.set(name, value.slice());
  }
  return { mode, uid, gid, mtime, xattrs };
}
