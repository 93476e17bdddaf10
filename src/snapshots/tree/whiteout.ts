import { type FileStat, getXattr, mknodAt, pathBelow, S_IFCHR, S_IFMT, setXattr } from "../../kernel/mod.ts";

/** OCI image specification, layer.md § Whiteouts. */
export const WHITEOUT_PREFIX = ".wh.";
export const WHITEOUT_META = ".wh..wh.";
export const WHITEOUT_OPAQUE = ".wh..wh..opq";

/** Documentation/filesystems/overlayfs, "whiteouts and opaque directories". */
export const OVERLAY_XATTRS = "trusted.overlay.";
const OPAQUE_XATTR = "trusted.overlay.opaque";

export function isWhiteout(stat: FileStat): boolean {
  return (stat.mode & S_IFMT) === S_IFCHR && stat.deviceMajor === 0 && stat.deviceMinor === 0;
}

/** Other values of the mark mean other things ("x": whiteouts by attribute, Linux 6.7). */
export function isOpaque(path: Uint8Array): boolean {
  return getXattr(path, OPAQUE_XATTR)?.[0] === 0x79;
}

export function putWhiteout(parent: number, name: Uint8Array): void {
  mknodAt(parent, name, S_IFCHR, 0, 0);
}

export function markOpaque(folder: number): void {
  setXattr(pathBelow(folder, "."), OPAQUE_XATTR, Buffer.from("y"));
}
