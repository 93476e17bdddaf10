import { existsSync, mkdirSync } from "node:fs";
import { HavreError } from "../../base/mod.ts";
import type { ContainerConfig, HostConfig, MountRequest } from "../../spec/mod.ts";
import type { ContainerSpec, MountPoint } from "../container.ts";
import { cleanPath } from "./config.ts";
import { hasCopyWord, isMountMode, isWritable, propagationIn } from "./mount-mode.ts";
import { badDestination, checkMountRequest } from "./mount-request.ts";
import { refuse } from "./refuse.ts";

const DEFAULT_PROPAGATION = "rprivate";

function noVolumes(what: string): HavreError {
  return new HavreError("not-implemented", `${what}: volumes are not available yet`, {
    hint: "Mount a host folder by its absolute path",
  });
}

/**
 * The mounts of a container from `Binds`, `Mounts` and `VolumesFrom`, later ones over earlier ones at the same place.
 * `mountsOf` gives another container's. Volumes an image declares are no mounts while there are none.
 */
export function resolveMounts(
  hostConfig: HostConfig,
  _config: ContainerConfig,
  mountsOf: (ref: string) => readonly MountPoint[],
): readonly MountPoint[] {
  const points = new Map<string, MountPoint>();
  for (const from of hostConfig.VolumesFrom ?? [])
    for (const point of fromContainer(from, mountsOf)) points.set(point.destination, point);
  const taken = new Set(Object.keys(hostConfig.Tmpfs ?? {}).map(cleanPath));
  for (const text of hostConfig.Binds ?? []) claim(parseBind(text), taken, points);
  // A tmpfs of `Tmpfs` is in nobody's way here: `Mounts` go over it (Docker's).
  for (const destination of Object.keys(hostConfig.Tmpfs ?? {})) taken.delete(cleanPath(destination));
  for (const request of hostConfig.Mounts ?? []) claim(fromRequest(request), taken, points);
  return [...points.values()];
}

function claim(point: MountPoint, taken: Set<string>, points: Map<string, MountPoint>): void {
  if (taken.has(point.destination)) throw refuse(`Duplicate mount point: ${point.destination}`);
  taken.add(point.destination);
  points.set(point.destination, point);
}

/**
 * Makes the host folders that binds show and that are not there, as Docker does when a container starts: for `Binds`, and
 * for `Mounts` that ask for it. `invalid-argument` in Docker's words for one that must be there and is gone.
 */
export function makeMountSources({ hostConfig, mounts }: Pick<ContainerSpec, "hostConfig" | "mounts">): void {
  const requests = new Map((hostConfig.Mounts ?? []).map((mount) => [cleanPath(mount.Target), mount]));
  for (const { type, source, destination } of mounts) {
    if (type !== "bind" || existsSync(source)) continue;
    const request = requests.get(destination);
    if (request && !request.BindOptions?.CreateMountpoint)
      throw refuse(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
    mkdirSync(source, { recursive: true });
  }
}

/** `source:destination[:mode]`. `invalid-argument` in Docker's words. */
export function parseBind(text: string): MountPoint {
  const invalid = `invalid volume specification: '${text}'`;
  const parts = text.split(":");
  const [source = "", second, mode = ""] = parts;
  // A volume of the image's own making has no mode: `/data:ro` is a mistake for `…:/data:ro`.
  if (parts.length > 3 || source === "" || (parts.length === 2 && isMountMode(second ?? ""))) throw refuse(invalid);
  if (!isMountMode(mode)) throw refuse(`invalid mode: ${mode}`);
  const target = second ?? source;
  const type = second !== undefined && source.startsWith("/") ? "bind" : "volume";
  const why = target === "" ? "field Target must not be empty" : badDestination(target);
  if (why !== undefined) throw refuse(`${invalid}: invalid mount config for type "${type}": ${why}`);
  if (type === "volume") throw noVolumes(second === undefined ? `Anonymous volume at ${target}` : `Volume ${source}`);
  return {
    type,
    source: cleanPath(source),
    destination: cleanPath(target),
    mode,
    writable: isWritable(mode),
    propagation: propagationIn(mode) ?? DEFAULT_PROPAGATION,
  };
}

function fromRequest(request: MountRequest): MountPoint {
  checkMountRequest(request);
  const common = { destination: cleanPath(request.Target), mode: "", writable: request.ReadOnly !== true };
  switch (request.Type) {
    case "tmpfs":
      return { ...common, type: "tmpfs", source: "", propagation: "" };
    case "bind": {
      const propagation = request.BindOptions?.Propagation || DEFAULT_PROPAGATION;
      return { ...common, type: "bind", source: cleanPath(request.Source ?? ""), propagation };
    }
    default:
      throw noVolumes(`${request.Source ? `Volume ${request.Source}` : "Anonymous volume"} at ${request.Target}`);
  }
}

/** `container[:mode]`: another container's mounts, read-only when the mode says so. */
function fromContainer(text: string, mountsOf: (ref: string) => readonly MountPoint[]): readonly MountPoint[] {
  if (text === "") throw refuse("volumes-from specification cannot be an empty string");
  const at = text.indexOf(":");
  const [ref, mode] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  // What is mounted keeps its own propagation and has been filled already.
  if (!isMountMode(mode) || propagationIn(mode) !== undefined || hasCopyWord(mode))
    throw refuse(`invalid mode: ${mode}`);
  return donated(ref, mountsOf)
    .filter((point) => point.type !== "tmpfs")
    .map((point) => ({ ...point, mode: "", writable: point.writable && isWritable(mode) }));
}

function donated(ref: string, mountsOf: (ref: string) => readonly MountPoint[]): readonly MountPoint[] {
  try {
    return mountsOf(ref);
  } catch (error) {
    // The request is what is wrong, not its address: Docker answers 400.
    throw new HavreError("invalid-argument", error instanceof Error ? error.message : String(error), { cause: error });
  }
}
