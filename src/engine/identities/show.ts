import { chmodSync } from "node:fs";
import { join } from "node:path";
import { AT_FDCWD, chownAt, type UserNamespace } from "../../kernel/mod.ts";
import type { Container, MountPoint } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { makeMountSources } from "../create/mod.ts";
import { joinedContainer } from "../spec/mod.ts";

/** The ids of the host that a container's root has. */
export function rootOf({ ids }: UserNamespace): { readonly uid: number; readonly gid: number } {
  const first = (runs: UserNamespace["ids"]["uids"]) => runs.find(({ inside }) => inside === 0)?.outside ?? 0;
  return { uid: first(ids.uids), gid: first(ids.gids) };
}

/** Lets the container's root pass through a folder that is closed to everyone else. */
export function openTo(folder: string, owners: UserNamespace): void {
  chownAt(AT_FDCWD, folder, 0, rootOf(owners).gid);
  chmodSync(folder, 0o710);
}

/**
 * Everything of the host that a container gets, with its own owners: its mounts, and the folder with the files the engine
 * writes for it, or for the one whose network it joins. Without owners all stays as it is. To be followed by `mapped.hide`.
 */
export function showMapped(
  { mapped, config }: Pick<EngineContext, "mapped" | "config">,
  { id, spec }: Container,
  mounts: readonly MountPoint[],
  owners: UserNamespace | undefined,
): { readonly mounts: readonly MountPoint[]; readonly files?: string } {
  if (!owners) return { mounts };
  makeMountSources(spec);
  const flat = new Set(
    (spec.hostConfig.Mounts ?? []).filter(({ BindOptions }) => BindOptions?.NonRecursive).map(({ Target }) => Target),
  );
  const shown = mounts.map((point) =>
    point.type === "tmpfs"
      ? point
      : { ...point, source: mapped.show(id, point.source, owners, !flat.has(point.destination)) },
  );
  const donor = joinedContainer(spec.hostConfig.NetworkMode) ?? id;
  return { mounts: shown, files: mapped.show(id, join(config.paths.containers, donor), owners, false) };
}
