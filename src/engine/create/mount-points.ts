import { existsSync, mkdirSync } from "node:fs";
import { normalize } from "node:path";
import { HavreError } from "../../base/mod.ts";
import type { ContainerConfig, HostConfig, MountRequest } from "../../spec/mod.ts";
import type { MountPoint } from "../container.ts";

const MODES = new Set(["rw", "ro", "z", "Z", "nocopy", "cached", "delegated", "consistent"]);
const PROPAGATIONS = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);

const NO_VOLUMES = {
  hint: "Named and anonymous volumes are not available yet: mount a host folder by its absolute path",
} as const;

/**
 * The mounts of a container from `Binds`, `Mounts` and `VolumesFrom`, later ones over earlier ones at the same place.
 * `mountsOf` gives another container's. A bind of `Binds` makes its host folder, one of `Mounts` does not (Docker's).
 */
export function resolveMounts(
  hostConfig: HostConfig,
  _config: ContainerConfig,
  mountsOf: (ref: string) => readonly MountPoint[],
): readonly MountPoint[] {
  const points = new Map<string, MountPoint>();
  for (const from of hostConfig.VolumesFrom ?? []) {
    for (const point of fromContainer(from, mountsOf)) points.set(point.destination, point);
  }
  const own = [...(hostConfig.Binds ?? []).map(parseBind), ...(hostConfig.Mounts ?? []).map(fromRequest)];
  const taken = new Set<string>();
  for (const point of own) {
    if (taken.has(point.destination)) {
      throw new HavreError("invalid-argument", `Duplicate mount point: ${point.destination}`);
    }
    taken.add(point.destination);
    points.set(point.destination, point);
  }
  return [...points.values()];
}

/** `source:destination[:mode]`. */
export function parseBind(text: string): MountPoint {
  const invalid = (why = `invalid volume specification: '${text}'`) => new HavreError("invalid-argument", why);
  const parts = text.split(":");
  const [source = "", target, mode = ""] = parts;
  if (parts.length > 3 || source === "") throw invalid();
  if (target === undefined) throw new HavreError("not-implemented", `Anonymous volume at ${source}`, NO_VOLUMES);
  if (!target.startsWith("/"))
    throw invalid(
      `invalid volume specification: '${text}': invalid mount config for type "bind": invalid mount path: '${target}' mount path must be absolute`,
    );
  const destination = normalize(target).replace(/(.)\/$/, "$1");
  if (destination === "/") {
    throw invalid(
      `invalid volume specification: '${text}': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
    );
  }
  if (!source.startsWith("/")) throw new HavreError("not-implemented", `Volume ${source}`, NO_VOLUMES);
  const words = mode === "" ? [] : mode.split(",");
  const bad = words.find((word) => !MODES.has(word) && !PROPAGATIONS.has(word));
  if (bad !== undefined) throw invalid(`invalid mode: ${mode}`);
  if (!existsSync(source)) mkdirSync(source, { recursive: true });
  return {
    type: "bind",
    source: normalize(source).replace(/(.)\/$/, "$1"),
    destination,
    mode,
    writable: !words.includes("ro"),
    propagation: words.find((word) => PROPAGATIONS.has(word)) ?? "rprivate",
  };
}

function fromRequest(request: MountRequest): MountPoint {
  const invalid = (why: string) =>
    new HavreError("invalid-argument", `invalid mount config for type "${request.Type}": ${why}`);
  if (!request.Target.startsWith("/"))
    throw invalid(`invalid mount path: '${request.Target}' mount path must be absolute`);
  const destination = normalize(request.Target).replace(/(.)\/$/, "$1");
  if (destination === "/") throw invalid("invalid specification: destination can't be '/'");
  const writable = request.ReadOnly !== true;
  switch (request.Type) {
    case "tmpfs":
      return { type: "tmpfs", source: "", destination, mode: "", writable, propagation: "" };
    case "bind": {
      const source = request.Source ?? "";
      if (source === "") throw invalid("field Source must not be empty");
      if (!source.startsWith("/")) throw invalid(`invalid mount path: '${source}' mount path must be absolute`);
      if (!existsSync(source)) {
        if (request.BindOptions?.CreateMountpoint !== true) throw invalid(`bind source path does not exist: ${source}`);
        mkdirSync(source, { recursive: true });
      }
      const propagation = request.BindOptions?.Propagation || "rprivate";
      return { type: "bind", source: normalize(source), destination, mode: "", writable, propagation };
    }
    case "volume":
      throw new HavreError(
        "not-implemented",
        `Volume ${request.Source ?? "(anonymous)"} at ${destination}`,
        NO_VOLUMES,
      );
    default:
      throw new HavreError("invalid-argument", `mount type unknown: "${request.Type}"`);
  }
}

/** `container[:ro|rw]`. */
function fromContainer(text: string, mountsOf: (ref: string) => readonly MountPoint[]): readonly MountPoint[] {
  const [ref = "", mode] = text.split(":");
  if (ref === "") throw new HavreError("invalid-argument", `malformed volumes-from specification: '${text}'`);
  if (mode !== undefined && mode !== "ro" && mode !== "rw" && mode !== "z" && mode !== "Z") {
    throw new HavreError("invalid-argument", `invalid mode: ${mode}`);
  }
  return mountsOf(ref)
    .filter((point) => point.type !== "tmpfs")
    .map((point) => (mode === "ro" ? { ...point, writable: false, mode } : point));
}
