import {
  AT_FDCWD,
  closeFd,
  getXattr,
  isRegular,
  listXattrs,
  O_NOFOLLOW,
  O_RDONLY,
  openAt,
  readAt,
} from "../../kernel/mod.ts";
import type { TarHeader } from "../tar/header.ts";
import type { TarHandler } from "../tar/parser.ts";
import { lookUpLower } from "../tree/lower.ts";
import { type ByteName, shown, toBytes } from "../tree/names.ts";
import { OVERLAY_XATTRS } from "../tree/whiteout.ts";

const CHUNK = 256 * 1024;
const NOTHING = new Uint8Array();

/**
 * Brings the file `path` of the layers below into this one, as overlayfs does before it links one: a layer may hold a hard
 * link to a file that only a lower one has. False when there is no such file.
 */
export function copyUp(lower: readonly string[], path: ByteName, into: TarHandler): boolean {
  const found = lookUpLower(lower, path);
  if (!found || !isRegular(found.stat)) return false;
  const { mode, uid, gid, size, mtime } = found.stat;
  const xattrs = new Map<string, Uint8Array>();
  for (const name of listXattrs(found.path)) {
    const value = name.startsWith(OVERLAY_XATTRS) ? undefined : getXattr(found.path, name);
    if (value) xattrs.set(name, value);
  }
  const header: TarHeader = {
    type: "file",
    path: shown(path),
    rawPath: toBytes(path),
    linkTarget: "",
    rawLinkTarget: NOTHING,
    mode: mode & 0o7777,
    uid,
    gid,
    uname: "",
    gname: "",
    size,
    mtime,
    devMajor: 0,
    devMinor: 0,
    xattrs,
  };
  const fd = openAt(AT_FDCWD, found.path, O_RDONLY | O_NOFOLLOW);
  try {
    into.entry(header);
    const buffer = new Uint8Array(CHUNK);
    for (let at = 0; at < size; ) {
      const count = readAt(fd, buffer, at);
      if (count === 0) break;
      into.data(buffer.subarray(0, count), at);
      at += count;
    }
    into.finish();
  } finally {
    closeFd(fd);
  }
  return true;
}
