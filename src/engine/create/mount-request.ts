import { existsSync } from "node:fs";
import type { MountRequest } from "../../spec/mod.ts";
import { mergeTmpfsOptions, tmpfsData } from "../spec/mod.ts";
import { cleanPath } from "./config.ts";
import { refuse } from "./refuse.ts";

const PROPAGATIONS = new Set(["", "private", "rprivate", "shared", "rshared", "slave", "rslave"]);

/** Why a destination inside a container is none; undefined when it is fine. */
export function badDestination(path: string): string | undefined {
  if (cleanPath(path) === "/") return "invalid specification: destination can't be '/'";
  return path.startsWith("/") ? undefined : notAbsolute(path);
}

function notAbsolute(path: string): string {
  return `invalid mount path: '${path}' mount path must be absolute`;
}

export function checkTmpfsDestination(destination: string): void {
  const why = badDestination(destination);
  if (why !== undefined) throw refuse(why);
}

function bindProblem({ Source = "", BindOptions }: MountRequest): string | undefined {
  if (Source === "") return "field Source must not be empty";
  const propagation = BindOptions?.Propagation ?? "";
  if (!PROPAGATIONS.has(propagation)) return `invalid propagation mode: ${propagation}`;
  if (!Source.startsWith("/")) return notAbsolute(Source);
  if (!BindOptions?.CreateMountpoint && !existsSync(Source)) return `bind source path does not exist: ${Source}`;
  return undefined;
}

function volumeProblem({ Source = "", VolumeOptions, ReadOnly }: MountRequest): string | undefined {
  const subpath = VolumeOptions?.Subpath ?? "";
  if (subpath !== "" && Source === "") return "must not set Subpath when using anonymous volumes";
  const inside = !subpath.startsWith("/") && cleanPath(subpath) !== ".." && !cleanPath(subpath).startsWith("../");
  if (!inside) return "subpath must be a relative path within the volume";
  return ReadOnly && Source === "" ? "must not set ReadOnly mode when using anonymous volumes" : undefined;
}

function tmpfsProblem(mount: MountRequest): string | undefined {
  if (mount.Source) return "field Source must not be specified";
  mergeTmpfsOptions(tmpfsData(mount));
  return undefined;
}

function conflict({ Type, ReadOnly, BindOptions }: MountRequest): string | undefined {
  if (Type !== "bind" || !BindOptions) return undefined;
  const { ReadOnlyNonRecursive: flat, ReadOnlyForceRecursive: force } = BindOptions;
  if (!ReadOnly && flat) return "mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive";
  if (!ReadOnly && force) return "mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive";
  return flat && force
    ? "mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive"
    : undefined;
}

function problemOf(mount: MountRequest): string | undefined {
  if (mount.Target === "") return "field Target must not be empty";
  const place = badDestination(mount.Target);
  if (place !== undefined) return place;
  switch (mount.Type) {
    case "bind":
      return bindProblem(mount);
    case "volume":
      return volumeProblem(mount);
    case "tmpfs":
      return tmpfsProblem(mount);
    default:
      return "mount type unknown";
  }
}

/** Checks one entry of `Mounts`. `invalid-argument` in Docker's words. */
export function checkMountRequest(mount: MountRequest): void {
  const foreign = [
    ["VolumeOptions", "volume"],
    ["BindOptions", "bind"],
    ["TmpfsOptions", "tmpfs"],
  ] as const;
  for (const [field, type] of foreign)
    if (mount[field] && mount.Type !== type)
      throw refuse(`${field} must not be specified on mount type "${mount.Type}"`);
  const problem = problemOf(mount);
  if (problem !== undefined) throw refuse(`invalid mount config for type "${mount.Type}": ${problem}`);
  const clash = conflict(mount);
  if (clash !== undefined) throw refuse(clash);
}
