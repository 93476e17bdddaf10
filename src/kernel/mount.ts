import { close, closeSync, constants, openSync, readFileSync } from "node:fs";
import { errnoOf, HavreError } from "../base/mod.ts";
import { cstring, libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "int" },
  umount2: { args: ["ptr", "int"], returns: "int" },
});

/** mount(2) flags by their fstab(5) words. `off` words clear the flag. */
const FLAG_WORDS: Readonly<Record<string, { readonly flag: number; readonly off?: boolean }>> = {
  ro: { flag: 1 },
  rw: { flag: 1, off: true },
  nosuid: { flag: 2 },
  suid: { flag: 2, off: true },
  nodev: { flag: 4 },
  dev: { flag: 4, off: true },
  noexec: { flag: 8 },
  exec: { flag: 8, off: true },
  sync: { flag: 16 },
  async: { flag: 16, off: true },
  remount: { flag: 32 },
  dirsync: { flag: 128 },
  noatime: { flag: 1024 },
  atime: { flag: 1024, off: true },
  nodiratime: { flag: 2048 },
  diratime: { flag: 2048, off: true },
  bind: { flag: 4096 },
  rbind: { flag: 4096 | 16384 },
  relatime: { flag: 1 << 21 },
  norelatime: { flag: 1 << 21, off: true },
  strictatime: { flag: 1 << 24 },
  lazytime: { flag: 1 << 25 },
};

export const MS_RDONLY = 1;
export const MS_REMOUNT = 32;
export const MS_BIND = 4096;
export const MS_MOVE = 8192;
export const MS_REC = 16384;

const PROPAGATION = { unbindable: 1 << 17, private: 1 << 18, slave: 1 << 19, shared: 1 << 20 } as const;
export type Propagation = keyof typeof PROPAGATION;

const MNT_FORCE = 1;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

/** One page: longer mount data is refused by the kernel (mount(2), NOTES). */
export const MOUNT_DATA_LIMIT = 4095;

/** What to mount, in the words of fstab(5). */
export interface MountRequest {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** Splits fstab words into mount(2)'s flags and the file system's own data. */
export function mountFlags(options: readonly string[]): { readonly flags: number; readonly data: string } {
  let flags = 0;
  const data: string[] = [];
  for (const option of options) {
    const word = Object.hasOwn(FLAG_WORDS, option) ? FLAG_WORDS[option] : undefined;
    if (!word) {
      if (option !== "" && option !== "defaults") data.push(option);
    } else if (word.off) flags &= ~word.flag;
    else flags |= word.flag;
  }
  return { flags, data: data.join(",") };
}

/** mount(2) as it is. Prefer `mount`. */
export function mountRaw(
  source: string | undefined,
  target: string,
  type: string | undefined,
  flags: number,
  data?: string,
): void {
  const result = libc().mount(
    source === undefined ? null : cstring(source),
    cstring(target),
    type === undefined ? null : cstring(type),
    flags,
    data === undefined || data === "" ? null : cstring(data),
  );
  if (result !== 0) throw systemError("mount", target);
}

/** Mounts on the existing `target`. A bind with further flags (`ro`, `nosuid`, …) is remounted to make them hold. */
export function mount(request: MountRequest, target: string): void {
  const { flags, data } = mountFlags(request.options);
  if (Buffer.byteLength(data) > MOUNT_DATA_LIMIT) {
    throw new HavreError("resource-exhausted", `Mount options for ${target} are longer than the kernel takes`);
  }
  mountRaw(request.source, target, request.type, flags, data);
  const BIND = MS_BIND | MS_REC;
  if (flags & MS_BIND && (flags & ~BIND) !== 0) {
    try {
      mountRaw(undefined, target, undefined, (flags & ~MS_REC) | MS_REMOUNT);
    } catch (error) {
      unmount(target);
      throw error;
    }
  }
}

export interface OverlayRequest {
  /** Read-only trees, the highest first; at least one when there is no upper. */
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly work?: string;
  /** The folder below which all trees of a long stack lie. */
  readonly base: string;
  readonly options?: readonly string[];
}

/**
 * Mounts an overlay. A stack too long for mount(2)'s one page of data is named through a descriptor of `base`
 * (`/proc/self/fd/9/12/fs`), which needs no change of the working folder and works on every kernel.
 */
export function mountOverlay(request: OverlayRequest, target: string): void {
  const { flags, data: extra } = mountFlags(request.options ?? []);
  const data = (place: (path: string) => string): string =>
    [
      `lowerdir=${request.lower.map((path) => escapeLower(place(path))).join(":")}`,
      ...(request.upper === undefined ? [] : [`upperdir=${escapeComma(place(request.upper))}`]),
      ...(request.work === undefined ? [] : [`workdir=${escapeComma(place(request.work))}`]),
      ...(extra === "" ? [] : [extra]),
    ].join(",");
  const plain = data((path) => path);
  if (Buffer.byteLength(plain) <= MOUNT_DATA_LIMIT) {
    mountRaw("overlay", target, "overlay", flags, plain);
    return;
  }
  const fd = openSync(request.base, "r");
  try {
    const prefix = request.base.endsWith("/") ? request.base : `${request.base}/`;
    const short = data((path) => (path.startsWith(prefix) ? `/proc/self/fd/${fd}/${path.slice(prefix.length)}` : path));
    if (Buffer.byteLength(short) > MOUNT_DATA_LIMIT) {
      throw new HavreError("resource-exhausted", `Too many layers to mount at ${target}: ${request.lower.length}`, {
        hint: "Flatten the image: export it and import the result",
      });
    }
    mountRaw("overlay", target, "overlay", flags, short);
  } finally {
    closeSync(fd);
  }
}

/** Overlay's own escapes: a backslash before a colon, comma or backslash of a path (Documentation/filesystems/overlayfs). */
function escapeLower(path: string): string {
  return path.replace(/[\\:,]/g, "\\$&");
}
function escapeComma(path: string): string {
  return path.replace(/[\\,]/g, "\\$&");
}

/** Shows `source` at `target` too. */
export function bindMount(
  source: string,
  target: string,
  options: { readonly recursive?: boolean; readonly readOnly?: boolean } = {},
): void {
  mount(
    { type: "none", source, options: [options.recursive ? "rbind" : "bind", ...(options.readOnly ? ["ro"] : [])] },
    target,
  );
}

export function moveMount(source: string, target: string): void {
  mountRaw(source, target, undefined, MS_MOVE);
}

export function setPropagation(target: string, propagation: Propagation, recursive = false): void {
  mountRaw(undefined, target, undefined, PROPAGATION[propagation] | (recursive ? MS_REC : 0));
}

export interface UnmountOptions {
  /** Take it out of the tree now, release it when its last user is gone. */
  readonly detach?: boolean;
  readonly force?: boolean;
}

/** umount2(2), never following a link at the end of `target`. False when nothing was mounted there. */
export function unmount(target: string, options: UnmountOptions = {}): boolean {
  const flags = UMOUNT_NOFOLLOW | (options.detach ? MNT_DETACH : 0) | (options.force ? MNT_FORCE : 0);
  if (libc().umount2(cstring(target), flags) === 0) return true;
  const failure = systemError("umount2", target);
  const code = errnoOf(failure);
  if (code === "EINVAL" || code === "ENOENT") return false;
  throw failure;
}

/**
 * Takes a mount out of the tree at once and returns a promise of the file system behind it being torn down. Tearing down
 * an overlay writes its whole upper file system to disk, so that is left to whoever closes the last descriptor: a pool
 * thread. undefined when nothing was mounted there.
 */
export function releaseMount(target: string): Promise<void> | undefined {
  let held: number;
  try {
    held = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw error;
  }
  let wasMounted = false;
  try {
    wasMounted = unmount(target, { detach: true });
  } finally {
    if (!wasMounted) closeSync(held);
  }
  if (!wasMounted) return undefined;
  return new Promise((resolve, reject) => close(held, (error) => (error ? reject(error) : resolve())));
}

/** One line of /proc/self/mountinfo (proc(5)). */
export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  readonly device: string;
  /** Which folder of the file system is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  /** `shared:N`, `master:N`, `propagate_from:N`, `unbindable`. */
  readonly tags: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** The mounts this process sees (or `pid` sees), in order of mounting. */
export function mountInfo(pid: number | "self" = "self"): MountInfo[] {
  return parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, "utf8"));
}

export function parseMountInfo(text: string): MountInfo[] {
  const mounts: MountInfo[] = [];
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    if (dash < 0) continue;
    const at = (index: number): string => unescapeOctal(fields[index] ?? "");
    mounts.push({
      id: Number(fields[0]),
      parent: Number(fields[1]),
      device: fields[2] ?? "",
      root: at(3),
      mountPoint: at(4),
      options: (fields[5] ?? "").split(","),
      tags: fields.slice(6, dash),
      type: fields[dash + 1] ?? "",
      source: at(dash + 2),
      superOptions: (fields[dash + 3] ?? "").split(","),
    });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.includes("\\")
    ? text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    : text;
}
