import type { TarType } from "../../snapshots/mod.ts";

// Go's os.FileMode, in which fsutil tells of files.
const DIRECTORY = 1 << 31;
const SYMLINK = 1 << 27;
const DEVICE = 1 << 26;
const FIFO = 1 << 25;
const SOCKET = 1 << 24;
const SETUID = 1 << 23;
const SETGID = 1 << 22;
const CHARACTER = 1 << 21;
const STICKY = 1 << 20;
const IRREGULAR = 1 << 19;
const TYPES = DIRECTORY | SYMLINK | DEVICE | FIFO | SOCKET | CHARACTER | IRREGULAR;
const PERMISSIONS = 0o777;

const BITS: Readonly<Record<Exclude<TarType, "hardlink">, number>> = {
  file: 0,
  directory: DIRECTORY,
  symlink: SYMLINK,
  fifo: FIFO,
  block: DEVICE,
  char: DEVICE | CHARACTER,
};
const SPECIAL = [
  [SETUID, 0o4000],
  [SETGID, 0o2000],
  [STICKY, 0o1000],
] as const;

/** What kind of file a mode means; undefined: nothing an archive holds, a socket say. */
export function typeOfGoMode(mode: number): Exclude<TarType, "hardlink"> | undefined {
  const bits = mode & TYPES;
  if (bits & DIRECTORY) return "directory";
  if (bits & SYMLINK) return "symlink";
  if (bits & FIFO) return "fifo";
  if (bits & DEVICE) return bits & CHARACTER ? "char" : "block";
  return bits === 0 ? "file" : undefined;
}

/** The low twelve bits of st_mode. */
export function permissionsOfGoMode(mode: number): number {
  return SPECIAL.reduce((bits, [go, unix]) => (mode & go ? bits | unix : bits), mode & PERMISSIONS);
}

/** `permissions`: the low twelve bits of st_mode. */
export function goMode(type: Exclude<TarType, "hardlink">, permissions: number): number {
  const special = SPECIAL.reduce((bits, [go, unix]) => (permissions & unix ? bits | go : bits), 0);
  return (BITS[type] | special | (permissions & PERMISSIONS)) >>> 0;
}
