import { HavreError } from "../../base/mod.ts";
import type { Project } from "../load/model.ts";
import type { Service } from "../schema/service.ts";

/** A mount as the API has it. */
type Mount = Readonly<Record<string, unknown>>;
type ServiceMount = NonNullable<Service["volumes"]>[number];

/** A volume that an earlier container of the same service leaves to this one. */
export interface Inherited {
  readonly target: string;
  /** Name of the volume. */
  readonly volume: string;
}

export interface MountRequest {
  readonly binds: readonly string[];
  readonly mounts: readonly Mount[];
}

/**
 * A service's volumes, configs and secrets from files as the API's binds and mounts. Anonymous volumes of the container
 * that is replaced are taken over.
 */
export function mountRequest(project: Project, service: Service, inherited: readonly Inherited[]): MountRequest {
  const binds: string[] = [];
  const mounts: Mount[] = [];
  const own = new Set((service.volumes ?? []).map(({ target }) => target));
  for (const volume of service.volumes ?? []) {
    const left = inherited.find(({ target }) => target === volume.target);
    if (volume.type === "volume" && !volume.source && left) mounts.push(volumeMount(left));
    else if (isBind(volume)) binds.push(bindText(project, volume));
    else mounts.push(mountBody(project, volume));
  }
  for (const left of inherited) if (!own.has(left.target)) mounts.push(volumeMount(left));
  return { binds, mounts };
}

const volumeMount = ({ target, volume }: Inherited): Mount => ({ Type: "volume", Source: volume, Target: target });

/** What the old form of binds can say is said so: it makes missing folders, and docker compose does the same. */
function isBind({ type, source, bind, volume }: ServiceMount): boolean {
  if (type === "bind") return bind?.create_host_path === true && bind.recursive === undefined;
  return type === "volume" && !!source && volume?.subpath === undefined && volume?.labels === undefined;
}

function bindText(project: Project, { type, source = "", target, read_only, bind, volume }: ServiceMount): string {
  const name = type === "volume" ? (project.volumes[source]?.name ?? source) : source;
  const options = [
    read_only ? "ro" : "rw",
    ...[bind?.selinux, bind?.propagation, volume?.nocopy ? "nocopy" : undefined].filter((one) => one !== undefined),
  ];
  return `${name}:${target}:${options.join(",")}`;
}

function mountBody(project: Project, given: ServiceMount): Mount {
  const { type, source, target, read_only, consistency, bind, volume, tmpfs, image } = given;
  if (type === "npipe" || type === "cluster")
    throw new HavreError("not-implemented", `volumes of type ${type} are not served`);
  const driver = type === "volume" && source ? project.volumes[source] : undefined;
  return {
    Type: type,
    Source: driver?.name ?? source ?? "",
    Target: target,
    ReadOnly: read_only ?? false,
    ...(consistency === undefined ? {} : { Consistency: consistency }),
    ...(type === "bind" && bind ? { BindOptions: bindOptions(bind) } : {}),
    ...(type === "volume" && volume
      ? {
          VolumeOptions: { NoCopy: volume.nocopy ?? false, Subpath: volume.subpath ?? "", Labels: volume.labels ?? {} },
        }
      : {}),
    ...(type === "tmpfs" && tmpfs ? { TmpfsOptions: { SizeBytes: tmpfs.size ?? 0, Mode: tmpfs.mode ?? 0 } } : {}),
    ...(type === "image" && image ? { ImageOptions: { Subpath: image.subpath ?? "" } } : {}),
  };
}

function bindOptions({ propagation, create_host_path, recursive }: NonNullable<ServiceMount["bind"]>): Mount {
  return {
    ...(propagation === undefined ? {} : { Propagation: propagation }),
    ...(create_host_path ? { CreateMountpoint: true } : {}),
    ...(recursive === "disabled" ? { NonRecursive: true } : {}),
  };
}

/** A config or secret at its place in a container. */
export interface FileUse {
  readonly kind: "config" | "secret";
  /** Name in the project. */
  readonly name: string;
  readonly target: string;
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
  readonly mode?: number | undefined;
}

/** The configs and secrets of a service with their absolute places. */
export function fileUses(service: Service): FileUse[] {
  const uses = (kind: FileUse["kind"], folder: string, all: Service["secrets"]) =>
    (all ?? []).map(({ source = "", target, uid, gid, mode }) => {
      const place = target ?? source;
      return { kind, name: source, target: place.startsWith("/") ? place : `${folder}${place}`, uid, gid, mode };
    });
  return [...uses("config", "/", service.configs), ...uses("secret", "/run/secrets/", service.secrets)];
}
