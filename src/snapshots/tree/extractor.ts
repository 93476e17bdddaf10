import { errnoOf, HavreError, toHavreError } from "../../base/mod.ts";
import {
  AT_FDCWD,
  chmodAt,
  chmodFd,
  chownAt,
  chownFd,
  closeFd,
  isDirectory,
  linkAt,
  mkdirAt,
  mknodAt,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openAt,
  pathBelow,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  setMtimeAt,
  setMtimeFd,
  setXattr,
  setXattrFd,
  statAt,
  symlinkAt,
  truncateFd,
  writeAt,
} from "../../kernel/mod.ts";
import type { TarHeader } from "../tar/header.ts";
import type { TarHandler } from "../tar/parser.ts";
import { Folders } from "./folders.ts";
import { type HeldIds, idOutside } from "./held-ids.ts";
import { type ByteName, components, shown, toBytes } from "./names.ts";
import { removeNow } from "./remove.ts";
import {
  isWhiteout,
  markOpaque,
  OVERLAY_XATTRS,
  putWhiteout,
  WHITEOUT_META,
  WHITEOUT_OPAQUE,
  WHITEOUT_PREFIX,
} from "./whiteout.ts";

export interface ExtractPolicy {
  /** The archive is a layer: OCI whiteouts become overlayfs's, and its top entry sets the top folder's attributes. */
  readonly layer: boolean;
  /** Its top entry sets the top folder's attributes, though it is no layer. */
  readonly top?: boolean;
  /** The folder of the tree to unpack into, "" for its top. */
  readonly into?: ByteName;
  /** Refuse to replace a folder by something else and the reverse. */
  readonly noOverwriteDirNonDir?: boolean;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** What the tree's owners are shown as on this host; absent: as they are. */
  readonly ids?: HeldIds;
  /** A hard link's target is not in this tree: brings it here from elsewhere, or says that it cannot. */
  readonly bring?: (path: ByteName) => boolean;
  /** Told of folders made because a name needs them though no member is about them. */
  readonly onImplied?: (path: ByteName, fd: number) => void;
}

interface OpenFile {
  readonly fd: number;
  readonly path: ByteName;
  readonly header: TarHeader;
  end: number;
}

/**
 * Puts members of an archive into the folder behind `root`. Every name is looked up by the kernel with `root` as its
 * root and made in the folder found, so neither `..`, nor links in the archive or the tree, nor another process can lead
 * outside.
 */
export class TreeExtractor implements TarHandler, Disposable {
  readonly #policy: ExtractPolicy;
  readonly #folders: Folders;
  readonly #mtimes = new Map<ByteName, bigint>();
  #file: OpenFile | undefined;
  /** Bytes of file content. */
  size = 0;
  /** The layer hides everything below its top folder. */
  opaqueRoot = false;
  /** A member was about the top folder. */
  rootSeen = false;

  constructor(root: number, policy: ExtractPolicy) {
    this.#policy = policy;
    this.#folders = new Folders(root, policy.into, policy.onImplied);
  }

  entry(header: TarHeader): void {
    this.#explained(header, () => {
      const parts = components(header.rawPath);
      const name = parts.pop();
      if (name === undefined) this.#top(header);
      else if (this.#policy.layer && name.startsWith(WHITEOUT_PREFIX)) this.#whiteout(parts.join("/"), name);
      else this.#make(header, parts.join("/"), name);
    });
  }

  data(bytes: Uint8Array, offset: number): void {
    const file = this.#file;
    if (!file) return;
    this.#explained(file.header, () => writeAt(file.fd, bytes, offset));
    file.end = offset + bytes.length;
    this.size += bytes.length;
  }

  finish(): void {
    const file = this.#file;
    if (!file) return;
    this.#explained(file.header, () => {
      if (file.end < file.header.size) truncateFd(file.fd, file.header.size);
      this.#dress(file.fd, file.header);
      setMtimeFd(file.fd, file.header.mtime);
    });
    this.#file = undefined;
    closeFd(file.fd);
  }

  /** After the last member: folders get their times, which filling them changed. */
  end(): void {
    for (const [path, mtime] of [...this.#mtimes].reverse()) {
      let fd: number;
      try {
        fd = this.#folders.get(path);
      } catch (error) {
        // A later member replaced it, or a process in a living tree did.
        if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") continue;
        throw error;
      }
      setMtimeAt(fd, ".", mtime);
    }
  }

  [Symbol.dispose](): void {
    if (this.#file) closeFd(this.#file.fd);
    this.#file = undefined;
    this.#folders[Symbol.dispose]();
  }

  #top(header: TarHeader): void {
    if (header.type !== "directory") {
      throw new HavreError("invalid-argument", `Refused archive: its top is not a folder but a ${header.type}`);
    }
    if (!this.#policy.layer && !this.#policy.top) return;
    this.rootSeen = true;
    const fd = openAt(this.#folders.get(""), ".", O_RDONLY | O_DIRECTORY);
    try {
      this.#dress(fd, header);
    } finally {
      closeFd(fd);
    }
    this.#mtimes.set("", header.mtime);
  }

  #whiteout(parentPath: ByteName, name: ByteName): void {
    if (name === WHITEOUT_OPAQUE) {
      if (parentPath === "") this.opaqueRoot = true;
      else markOpaque(this.#folders.ensure(parentPath));
      return;
    }
    // Left by AUFS: its link store and the like, which is no part of the tree.
    if (name.startsWith(WHITEOUT_META)) return;
    const hidden = name.slice(WHITEOUT_PREFIX.length);
    if (hidden === "" || hidden === "." || hidden === "..") {
      throw new HavreError("invalid-argument", `Refused archive: ${shown(name)} hides nothing that can have a name`);
    }
    const parent = this.#folders.ensure(parentPath);
    const path = parentPath === "" ? hidden : `${parentPath}/${hidden}`;
    try {
      putWhiteout(parent, toBytes(hidden));
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      // A whiteout hides what lower layers have, not what this one brings (OCI layer.md § Whiteouts).
      if (isDirectory(statAt(parent, toBytes(hidden)))) markOpaque(this.#folders.get(path));
    }
  }

  #make(header: TarHeader, parentPath: ByteName, base: ByteName): void {
    const parent = this.#folders.ensure(parentPath);
    const name = toBytes(base);
    const path = parentPath === "" ? base : `${parentPath}/${base}`;
    switch (header.type) {
      case "directory":
        this.#makeDirectory(header, parent, name, path);
        break;
      case "file": {
        const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
        const fd = this.#replacing(header, parent, name, path, () => openAt(parent, name, flags, 0o600));
        this.#file = { fd, path, header, end: 0 };
        break;
      }
      case "symlink":
        if (header.rawLinkTarget.length === 0)
          throw new HavreError("invalid-argument", `Refused archive: ${header.path} is a link to nothing`);
        this.#replacing(header, parent, name, path, () => symlinkAt(header.rawLinkTarget, parent, name));
        this.#dressName(parent, name, header);
        break;
      case "hardlink":
        this.#makeHardLink(header, parentPath, name, path);
        break;
      case "char":
      case "block":
      case "fifo": {
        const type = header.type === "char" ? S_IFCHR : header.type === "block" ? S_IFBLK : S_IFIFO;
        this.#replacing(header, parent, name, path, () =>
          mknodAt(parent, name, type | 0o600, header.devMajor, header.devMinor),
        );
        const fd = openAt(parent, name, O_PATH | O_NOFOLLOW);
        try {
          chownAt(parent, name, this.#uid(header), this.#gid(header));
          // Through the descriptor: chmod follows links, and the name may be one by now.
          chmodAt(AT_FDCWD, `/proc/self/fd/${fd}`, header.mode);
        } finally {
          closeFd(fd);
        }
        this.#setXattrs(header, (key, value) => setXattr(pathBelow(parent, name), key, value));
        setMtimeAt(parent, name, header.mtime);
        break;
      }
    }
  }

  #makeDirectory(header: TarHeader, parent: number, name: Uint8Array, path: ByteName): void {
    let opaque = false;
    try {
      mkdirAt(parent, name, 0o700);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      const existing = statAt(parent, name);
      if (!isDirectory(existing)) {
        opaque = this.#policy.layer && isWhiteout(existing);
        this.#remove(header, parent, name, path);
        mkdirAt(parent, name, 0o700);
      }
    }
    const fd = openAt(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      this.#dress(fd, header);
      if (opaque) markOpaque(fd);
    } finally {
      closeFd(fd);
    }
    this.#mtimes.set(path, header.mtime);
  }

  #makeHardLink(header: TarHeader, parentPath: ByteName, name: Uint8Array, path: ByteName): void {
    const parts = components(header.rawLinkTarget);
    const target = parts.pop();
    if (target === undefined)
      throw new HavreError("invalid-argument", `Refused archive: ${header.path} is a hard link to its top folder`);
    // Linking something to itself must not remove it first.
    if ([...parts, target].join("/") === path) return;
    const targetName = toBytes(target);
    // Looked up anew each time: what was brought or removed may have closed older descriptors.
    const link = () => {
      const parent = this.#folders.ensure(parentPath);
      const make = () => {
        const folder = this.#folders.get(parts.join("/"));
        if (this.#policy.layer && isWhiteout(statAt(folder, targetName))) {
          throw new HavreError("invalid-argument", `Unpacking ${header.path}: its target is removed by this layer`);
        }
        linkAt(folder, targetName, parent, name);
      };
      this.#replacing(header, parent, name, path, make);
    };
    try {
      link();
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || !this.#policy.bring?.([...parts, target].join("/"))) throw error;
      link();
    }
  }

  /** Runs `make`; when the name is taken, clears it first. */
  #replacing<T>(header: TarHeader, parent: number, name: Uint8Array, path: ByteName, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
    this.#remove(header, parent, name, path);
    return make();
  }

  #remove(header: TarHeader, parent: number, name: Uint8Array, path: ByteName): void {
    const existing = isDirectory(statAt(parent, name));
    const wanted = header.type === "directory";
    if (this.#policy.noOverwriteDirNonDir && existing !== wanted) {
      const [old, fresh] = existing ? ["directory", "non-directory"] : ["non-directory", "directory"];
      const into = `/${shown(this.#policy.into ?? "")}`;
      const target = JSON.stringify(`${into === "/" ? "" : into}/${shown(path)}`);
      throw new HavreError(
        "invalid-argument",
        `cannot overwrite ${old} ${target} with ${fresh} ${JSON.stringify(into)}`,
      );
    }
    removeNow(parent, name);
    this.#folders.forgetAllBut(parent);
    this.#mtimes.delete(path);
  }

  /** Owner before mode before attributes: each may clear what a later one sets (setuid bits, file capabilities). */
  #dress(fd: number, header: TarHeader): void {
    chownFd(fd, this.#uid(header), this.#gid(header));
    chmodFd(fd, header.mode);
    this.#setXattrs(header, (key, value) => setXattrFd(fd, key, value));
  }

  #dressName(parent: number, name: Uint8Array, header: TarHeader): void {
    chownAt(parent, name, this.#uid(header), this.#gid(header));
    this.#setXattrs(header, (key, value) => setXattr(pathBelow(parent, name), key, value));
    setMtimeAt(parent, name, header.mtime);
  }

  #uid(header: TarHeader): number {
    const { owner, ids } = this.#policy;
    const uid = owner?.uid ?? header.uid;
    return ids ? idOutside(uid, ids.uid, ids.size) : uid;
  }

  #gid(header: TarHeader): number {
    const { owner, ids } = this.#policy;
    const gid = owner?.gid ?? header.gid;
    return ids ? idOutside(gid, ids.gid, ids.size) : gid;
  }

  #setXattrs(header: TarHeader, set: (key: string, value: Uint8Array) => void): void {
    for (const [key, value] of header.xattrs) {
      // An archive must not steer overlayfs: a redirect would show other folders, an opaque mark hide some.
      if (key.startsWith(OVERLAY_XATTRS)) continue;
      try {
        set(key, value);
      } catch (error) {
        const code = errnoOf(error);
        // The file system or the kind of file cannot carry it (user.* on a link): tar(1) and Docker go on as well.
        if (code !== "EOPNOTSUPP" && code !== "ENOTSUP" && !(code === "EPERM" && key.startsWith("user."))) throw error;
      }
    }
  }

  #explained<T>(header: TarHeader, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const cause = toHavreError(error);
      if (errnoOf(cause) === undefined) throw cause;
      const kind = IMPOSSIBLE.has(errnoOf(cause) ?? "") ? "invalid-argument" : cause.kind;
      throw new HavreError(kind, `Unpacking ${header.path}: ${cause.message}`, {
        cause,
        ...(cause.hint === undefined ? {} : { hint: cause.hint }),
      });
    }
  }
}

/** What the kernel says to names and sizes that no tree can hold. */
const IMPOSSIBLE: ReadonlySet<string> = new Set([
  "ENAMETOOLONG",
  "ENOTDIR",
  "ELOOP",
  "ENOENT",
  "EISDIR",
  "EEXIST",
  "EMLINK",
  "EINVAL",
  "EFBIG",
]);
