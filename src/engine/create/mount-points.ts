import { existsSync, mkdirSync } from "node:fs";
import { HavreError } from "../../base/mod.ts";
import type { ContainerConfig, HostConfig, MountRequest } from "../../spec/mod.ts";
import { ANONYMOUS_LABEL, type VolumeWish } from "../../volumes/mod.ts";
import type { ContainerSpec, MountPoint } from "../container.ts";
import { cleanPath } from "./config.ts";
import { hasCopyWord, isMountMode, isWritable, propagationIn } from "./mount-mode.ts";
import { badDestination, checkMountRequest } from "./mount-request.ts";
import { refuse } from "./refuse.ts";

const DEFAULT_PROPAGATION = "rprivate";

const LOCAL = "local";
/** What Docker shows as the mode of a volume of `Mounts`. */
const VOLUME_MODE = "z";

/** What resolving mounts needs to know of the rest. */
export interface MountGround {
  /** Another container's mounts. */
  readonly mountsOf: (ref: string) => readonly MountPoint[];
  /** A name for a volume that was given none. */
  readonly newName: () => string;
}

/**
 * The mounts of a container from `VolumesFrom`, `Binds` and `Mounts`, later ones over earlier ones at the same place, and
 * an anonymous volume where the image or the request wants one and nothing else is mounted. Volumes are not looked up
 * here: their `source` is to be filled in.
 */
export function resolveMounts(
  hostConfig: HostConfig,
  config: ContainerConfig,
  { mountsOf, newName }: MountGround,
): readonly MountPoint[] {
  const defaults = { driver: hostConfig.VolumeDriver || LOCAL, newName };
  const points = new Map<string, MountPoint>();
  for (const from of hostConfig.VolumesFrom ?? [])
    for (const point of fromContainer(from, mountsOf)) points.set(point.destination, point);
  const onTmpfs = new Set(Object.keys(hostConfig.Tmpfs ?? {}).map(cleanPath));
  const taken = new Set(onTmpfs);
  for (const text of hostConfig.Binds ?? []) claim(parseBind(text, defaults), taken, points);
  // A tmpfs of `Tmpfs` is in nobody's way here: `Mounts` go over it (Docker's).
  for (const destination of onTmpfs) taken.delete(destination);
  for (const request of hostConfig.Mounts ?? []) claim(fromRequest(request, defaults), taken, points);
  for (const path of Object.keys(config.Volumes ?? {})) {
    const destination = cleanPath(path);
    if (!points.has(destination) && !onTmpfs.has(destination))
      points.set(destination, anonymousVolume(destination, defaults));
  }
  return [...points.values()];
}

interface VolumeDefaults {
  readonly driver: string;
  readonly newName: () => string;
}

function anonymousVolume(destination: string, { driver, newName }: VolumeDefaults): MountPoint {
  const place = { destination, source: "", mode: "", writable: true, propagation: "" };
  return { type: "volume", name: newName(), driver, anonymous: true, ...place };
}

/** What of volumes a container with these mounts wants found or made. */
export function volumeWishes(
  { Mounts, VolumeDriver }: HostConfig,
  mounts: readonly MountPoint[],
): readonly VolumeWish[] {
  const requests = new Map((Mounts ?? []).map((mount) => [cleanPath(mount.Target), mount]));
  const wishes = new Map<string, VolumeWish>();
  for (const { type, name, driver = "", destination, anonymous } of mounts) {
    if (type !== "volume" || name === undefined || wishes.has(name)) continue;
    const { Labels, DriverConfig } = requests.get(destination)?.VolumeOptions ?? {};
    const labels = anonymous ? { ...Labels, [ANONYMOUS_LABEL]: "" } : (Labels ?? null);
    // Who names no driver takes the volume that is there, whoever keeps it.
    const insists = (DriverConfig?.Name || VolumeDriver) !== "";
    wishes.set(name, {
      name,
      driver: insists ? driver : "",
      labels,
      options: DriverConfig?.Options ?? null,
      anonymous: anonymous === true,
    });
  }
  return [...wishes.values()];
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
function parseBind(text: string, defaults: VolumeDefaults): MountPoint {
  const invalid = `invalid volume specification: '${text}'`;
  const parts = text.split(":");
  const [source = "", second, mode = ""] = parts;
  // A volume of the image's own making has no mode: `/data:ro` is a mistake for `…:/data:ro`.
  if (parts.length > 3 || source === "" || (parts.length === 2 && isMountMode(second ?? ""))) throw refuse(invalid);
  if (!isMountMode(mode)) throw refuse(`invalid mode: ${mode}`);
  const target = second ?? source;
  const type = second !== undefined && source.startsWith("/") ? "bind" : "volume";
  const why = target === "" ? "field Target must not be empty" : (badDestination(target) ?? badVolumeMode(type, mode));
  if (why !== undefined) throw refuse(`${invalid}: invalid mount config for type "${type}": ${why}`);
  const destination = cleanPath(target);
  if (second === undefined) return anonymousVolume(destination, defaults);
  const common = { destination, mode, writable: isWritable(mode) };
  if (type === "bind")
    return { ...common, type, source: cleanPath(source), propagation: propagationIn(mode) ?? DEFAULT_PROPAGATION };
  return {
    ...common,
    type,
    name: source,
    driver: defaults.driver,
    source: "",
    propagation: "",
    ...(hasCopyWord(mode) ? { noCopy: true } : {}),
  };
}

/** A volume has no propagation: in Docker's words, it has no options of a bind. */
function badVolumeMode(type: MountPoint["type"], mode: string): string | undefined {
  return type === "volume" && propagationIn(mode) !== undefined ? "field BindOptions must not be specified" : undefined;
}

function fromRequest(request: MountRequest, defaults: VolumeDefaults): MountPoint {
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
      return {
        ...common,
        ...volumeOf(request, defaults),
        type: "volume",
        source: "",
        mode: VOLUME_MODE,
        propagation: "",
      };
  }
}

function volumeOf(
  { Source, VolumeOptions }: MountRequest,
  { driver, newName }: VolumeDefaults,
): Pick<MountPoint, "name" | "driver" | "anonymous" | "noCopy" | "subpath"> {
  return {
    ...(Source ? { name: Source } : { name: newName(), anonymous: true }),
    driver: VolumeOptions?.DriverConfig?.Name || driver,
    ...(VolumeOptions?.NoCopy ? { noCopy: true } : {}),
    ...(VolumeOptions?.Subpath ? { subpath: VolumeOptions.Subpath } : {}),
  };
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
    .map((point) => ({ ...shared(point), mode: "", writable: point.writable && isWritable(mode) }));
}

/** Filled already, if it was to be. */
function shared(point: MountPoint): MountPoint {
  return point.type === "volume" ? { ...point, noCopy: true } : point;
}

function donated(ref: string, mountsOf: (ref: string) => readonly MountPoint[]): readonly MountPoint[] {
  try {
    return mountsOf(ref);
  } catch (error) {
    // The request is what is wrong, not its address: Docker answers 400.
    throw new HavreError("invalid-argument", error instanceof Error ? error.message : String(error), { cause: error });
  }
}
