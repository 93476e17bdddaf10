import { HavreError } from "../../base/mod.ts";
import {
  AT_FDCWD,
  chmodAt,
  chmodFd,
  chownAt,
  chownFd,
  cloneFile,
  closeFd,
  copyRange,
  type FileStat,
  getXattr,
  isDirectory,
  isRegular,
  isSymlink,
  linkAt,
  listXattrs,
  mkdirAt,
  mknodAt,
  nextData,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openAt,
  pathBelow,
  readLinkAt,
  S_IFMT,
  S_IFSOCK,
  setMtimeAt,
  setMtimeFd,
  setXattr,
  statAtIfAny,
  statFd,
  symlinkAt,
  truncateFd,
} from "../../kernel/mod.ts";
import { sortedEntries } from "../tree/listing.ts";
import { fromBytes, toBytes } from "../tree/names.ts";
import { unlessGone } from "../tree/packer.ts";
import { OVERLAY_XATTRS } from "../tree/whiteout.ts";
import { PAUSE, type Work } from "./steps.ts";

export interface CopyTreeJob {
  readonly kind: "copy-tree";
  /** Folders; a path below /proc/self/fd too. Links inside are copied, never followed. */
  readonly source: string;
  readonly target: string;
}

/** What a copy made of it: how many files share their content with the original, and how many had to be copied. */
export interface CopiedTree {
  readonly shared: number;
  readonly copied: number;
  /** Bytes of content that were copied. */
  readonly bytes: number;
}

const STRETCH = 8 << 20;

/**
 * Makes `target`, an empty folder, the same tree as `source`: owners, modes, attributes, links hard and soft, holes,
 * devices, times, and those of the top folder itself. Content is shared where the file system can. Sockets belong to a
 * process and are left out.
 */
export function* copyTree({ source, target }: CopyTreeJob): Work<CopiedTree> {
  const from = openAt(AT_FDCWD, source, O_RDONLY | O_DIRECTORY);
  try {
    const to = openAt(AT_FDCWD, target, O_RDONLY | O_DIRECTORY);
    try {
      const copier = new TreeCopier(to);
      yield* copier.below(from, to, "");
      dressFolder(from, to, statFd(from));
      return copier.result;
    } finally {
      closeFd(to);
    }
  } finally {
    closeFd(from);
  }
}

class TreeCopier {
  readonly #top: number;
  /** Where the first name of a file with several was made. */
  readonly #made = new Map<string, string>();
  #canShare = true;
  #shared = 0;
  #copied = 0;
  #bytes = 0;

  constructor(top: number) {
    this.#top = top;
  }

  get result(): CopiedTree {
    return { shared: this.#shared, copied: this.#copied, bytes: this.#bytes };
  }

  *below(from: number, to: number, prefix: string): Work<void> {
    for (const { name } of sortedEntries(from)) {
      // Processes may remove what was just listed.
      const stat = statAtIfAny(from, name);
      if (stat) yield* this.#one(from, to, name, stat, `${prefix}${fromBytes(name)}`);
      yield PAUSE;
    }
  }

  *#one(from: number, to: number, name: Uint8Array, stat: FileStat, path: string): Work<void> {
    if ((stat.mode & S_IFMT) === S_IFSOCK) return;
    if (isDirectory(stat)) {
      yield* this.#folder(from, to, name, path);
      return;
    }
    if (stat.links > 1) {
      const identity = `${stat.device}:${stat.inode}`;
      const first = this.#made.get(identity);
      if (first !== undefined) {
        linkAt(this.#top, toBytes(first), to, name);
        return;
      }
      this.#made.set(identity, path);
    }
    if (isRegular(stat)) yield* this.#file(from, to, name);
    else special(from, to, name, stat);
  }

  *#folder(from: number, to: number, name: Uint8Array, path: string): Work<void> {
    const source = unlessGone(() => openAt(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (source === undefined) return;
    try {
      mkdirAt(to, name, 0o700);
      const target = openAt(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      try {
        yield* this.below(source, target, `${path}/`);
        dressFolder(source, target, statFd(source));
      } finally {
        closeFd(target);
      }
    } finally {
      closeFd(source);
    }
  }

  /** Opened without effect first: a pipe put in its place meanwhile must not be waited for. */
  *#file(from: number, to: number, name: Uint8Array): Work<void> {
    const place = unlessGone(() => openAt(from, name, O_PATH | O_NOFOLLOW));
    if (place === undefined) return;
    let source: number;
    try {
      if (!isRegular(statFd(place))) return;
      source = openAt(AT_FDCWD, `/proc/self/fd/${place}`, O_RDONLY);
    } finally {
      closeFd(place);
    }
    try {
      const stat = statFd(source);
      const target = openAt(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        yield* this.#content(source, target, stat.size);
        chownFd(target, stat.uid, stat.gid);
        chmodFd(target, stat.mode & 0o7777);
        copyXattrs(pathBelow(from, name), pathBelow(to, name));
        setMtimeFd(target, stat.mtime);
      } finally {
        closeFd(target);
      }
    } finally {
      closeFd(source);
    }
  }

  *#content(source: number, target: number, size: number): Work<void> {
    if (this.#canShare && cloneFile(source, target)) {
      this.#shared++;
      return;
    }
    if (size > 0) this.#canShare = false;
    this.#copied++;
    for (
      let data = nextData(source, 0);
      data && data.offset < size;
      data = nextData(source, data.offset + data.length)
    ) {
      const end = data.offset + data.length;
      for (let at = data.offset; at < end; ) {
        const count = copyRange(source, target, at, Math.min(STRETCH, end - at));
        if (count === 0) break;
        at += count;
        this.#bytes += count;
        yield PAUSE;
      }
    }
    truncateFd(target, size);
  }
}

function special(from: number, to: number, name: Uint8Array, stat: FileStat): void {
  if (isSymlink(stat)) {
    const link = unlessGone(() => readLinkAt(from, name));
    if (!link) return;
    symlinkAt(link, to, name);
    chownAt(to, name, stat.uid, stat.gid);
  } else {
    mknodAt(to, name, (stat.mode & S_IFMT) | 0o600, stat.deviceMajor, stat.deviceMinor);
    chownAt(to, name, stat.uid, stat.gid);
    const place = openAt(to, name, O_PATH | O_NOFOLLOW);
    try {
      if ((statFd(place).mode & S_IFMT) !== (stat.mode & S_IFMT)) {
        throw new HavreError("conflict", "The copy is being changed by somebody else");
      }
      chmodAt(AT_FDCWD, `/proc/self/fd/${place}`, stat.mode & 0o7777);
    } finally {
      closeFd(place);
    }
  }
  copyXattrs(pathBelow(from, name), pathBelow(to, name));
  setMtimeAt(to, name, stat.mtime);
}

function dressFolder(from: number, to: number, stat: FileStat): void {
  chownFd(to, stat.uid, stat.gid);
  chmodFd(to, stat.mode & 0o7777);
  copyXattrs(pathBelow(from, "."), pathBelow(to, "."));
  setMtimeAt(to, ".", stat.mtime);
}

/** What belongs to the file, not to this machine's overlay mounts or its SELinux policy. */
function copyXattrs(from: Uint8Array, to: Uint8Array): void {
  for (const name of unlessGone(() => listXattrs(from)) ?? []) {
    if (name.startsWith(OVERLAY_XATTRS) || name === "security.selinux") continue;
    const value = unlessGone(() => getXattr(from, name));
    if (value) setXattr(to, name, value);
  }
}
