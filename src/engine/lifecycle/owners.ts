import { existsSync } from "node:fs";
import { join } from "node:path";
import { isHavreError } from "../../base/mod.ts";
import type { IdsRequest, UserNamespace } from "../../identities/mod.ts";
import type { Container, MountPoint } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { makeMountSources } from "../create/mod.ts";
import { joinedContainer } from "../spec/mod.ts";

/** Which ids a container asks for. */
export function idsRequest({ spec: { hostConfig } }: Pick<Container, "spec">): IdsRequest {
  const { NetworkMode, IpcMode, PidMode, UsernsMode } = hostConfig;
  const joins = [NetworkMode, IpcMode, PidMode].flatMap((mode) => joinedContainer(mode) ?? []);
  return { mode: UsernsMode, joins };
}

/**
 * Everything of the host that a container gets, with its own owners: its mounts, and the folder with the files the engine
 * writes for it, or for the one whose network it joins. A folder of the host that cannot be mapped is shown as it is, which
 * `ownersWarnings` has said; a volume is refused. Without owners all stays as it is. To be followed by `mapped.hide`.
 */
export function showMapped(
  { mapped, config, log }: Pick<EngineContext, "mapped" | "config" | "log">,
  { id, spec }: Container,
  mounts: readonly MountPoint[],
  owners: UserNamespace | undefined,
): { readonly mounts: readonly MountPoint[]; readonly files?: string } {
  if (!owners) return { mounts };
  makeMountSources(spec);
  const shown = mounts.map((point) => {
    if (point.type === "tmpfs") return point;
    try {
      return { ...point, source: mapped.show(id, point.source, owners, isRecursive(spec, point)) };
    } catch (error) {
      if (point.type !== "bind" || !isHavreError(error, "failed-precondition")) throw error;
      log.warn("A folder is bound with the host's owners", { container: id, error });
      return point;
    }
  });
  const donor = joinedContainer(spec.hostConfig.NetworkMode) ?? id;
  return { mounts: shown, files: mapped.show(id, join(config.paths.containers, donor), owners, false) };
}

/** What a new container is told of folders of the host that will not have its owners. */
export function ownersWarnings(
  { identities, mapped }: Pick<EngineContext, "identities" | "mapped">,
  { id, spec }: Container,
): readonly string[] {
  const binds = spec.mounts.filter(({ type, source }) => type === "bind" && existsSync(source));
  if (binds.length === 0) return [];
  using owners = identities.ownersOf(id);
  if (!owners) return [];
  return binds.flatMap((point) => {
    const why = mapped.trouble(point.source, owners, isRecursive(spec, point));
    return why === undefined ? [] : [`${point.source} is bound with the host's owners. ${why}`];
  });
}

function isRecursive({ hostConfig }: Container["spec"], { destination }: MountPoint): boolean {
  const request = (hostConfig.Mounts ?? []).find(({ Target }) => Target === destination);
  return request?.BindOptions?.NonRecursive !== true;
}
