import { type BigIntStats, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, HavreError } from "../../base/mod.ts";
import type { RuntimeDevice } from "../../spec/mod.ts";

const PERMISSION_BITS = 0o7777n;

const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  ENOTDIR: "not a directory",
};

export function systemText(error: unknown): string {
  const code = errnoOf(error);
  return (code && SYSTEM_TEXTS[code]) ?? (error instanceof Error ? error.message : String(error));
}

/** Major and minor as glibc's gnu_dev_major and gnu_dev_minor take them from st_rdev. */
function numbers(rdev: bigint): { major: number; minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn & 0xffffffffn);
  return { major: Number(major), minor: Number(minor) };
}

/** Device number of a node on the host, for block I/O limits. `not-found` when it is not there. */
export function deviceNumber(path: string): { major: number; minor: number } {
  try {
    return numbers(statSync(path, { bigint: true }).rdev);
  } catch (error) {
    throw new HavreError("not-found", `stat ${path}: ${systemText(error)}`, { cause: error });
  }
}

function nodeType(stat: BigIntStats): "b" | "c" | "p" | undefined {
  if (stat.isBlockDevice()) return "b";
  if (stat.isCharacterDevice()) return "c";
  return stat.isFIFO() ? "p" : undefined;
}

function describe(path: string, stat: BigIntStats): RuntimeDevice | undefined {
  const type = nodeType(stat);
  if (type === undefined) return undefined;
  return {
    type,
    path,
    ...numbers(stat.rdev),
    fileMode: Number(stat.mode & PERMISSION_BITS),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  };
}

function* walk(folder: string, skip: ReadonlySet<string>): Generator<[path: string, stat: BigIntStats]> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!skip.has(entry.name)) yield* walk(path, skip);
    } else {
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (stat) yield [path, stat];
    }
  }
}

/**
 * Device nodes for `--device`: one node (links followed) or every node below a folder, placed at `pathInContainer`.
 * `invalid-argument` in Docker's words when there is none.
 */
export function devicesAt(pathOnHost: string, pathInContainer: string): RuntimeDevice[] {
  let why = "not a device node";
  try {
    const resolved = realpathSync(pathOnHost);
    const stat = lstatSync(resolved, { bigint: true });
    const device = describe(pathInContainer, stat);
    if (device) return [device];
    if (stat.isDirectory()) {
      const found: RuntimeDevice[] = [];
      for (const [path, nodeStat] of walk(resolved, new Set())) {
        const node = describe(pathInContainer + path.slice(resolved.length), nodeStat);
        if (node) found.push(node);
      }
      if (found.length > 0) return found;
    }
  } catch (error) {
    why = systemText(error);
  }
  throw new HavreError(
    "invalid-argument",
    `error gathering device information while adding custom device ${JSON.stringify(pathOnHost)}: ${why}`,
  );
}

/** Folders of /dev that every container has of its own. */
const OWN_FOLDERS = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]);

/** Every device node of the host, for a privileged container. */
export function hostDevices(): RuntimeDevice[] {
  const devices: RuntimeDevice[] = [];
  for (const [path, stat] of walk("/dev", OWN_FOLDERS)) {
    if (path === "/dev/console") continue;
    const device = describe(path, stat);
    if (device && device.type !== "p") devices.push(device);
  }
  return devices;
}
