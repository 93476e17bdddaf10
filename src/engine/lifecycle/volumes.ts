import { HavreError, isHavreError, runAll, type Undoes } from "../../base/mod.ts";
import { withTreeFolder } from "../../snapshots/mod.ts";
import { type Container, type MountPoint, volumesOf } from "../container.ts";
import type { EngineContext } from "../context.ts";

type VolumePoint = MountPoint & { readonly name: string };

function volumePoints({ spec }: Pick<Container, "spec">): readonly VolumePoint[] {
  return spec.mounts.filter((point): point is VolumePoint => point.type === "volume" && point.name !== undefined);
}

/** Fills a new container's empty volumes with what its image has in their places, as Docker does when it creates one. */
export async function fillVolumes(context: EngineContext, container: Container): Promise<void> {
  const { id } = container;
  const points = volumePoints(container).filter(({ noCopy, anonymous }) => noCopy !== true || anonymous === true);
  if (points.length === 0) return;
  const root = await context.snapshots.mount(id);
  try {
    for (const point of points) await fillOne(context, id, root, point);
  } finally {
    await context.snapshots.unmount(id);
  }
}

async function fillOne(context: EngineContext, id: string, root: string, point: VolumePoint): Promise<void> {
  const { name, destination, subpath, noCopy, anonymous } = point;
  try {
    await withTreeFolder(root, destination, async (folder) => {
      if (noCopy !== true) await context.volumes.populate(name, id, folder, subpath);
    });
  } catch (error) {
    if (!isHavreError(error, "invalid-argument")) throw error;
    const message = anonymous
      ? `cannot mount volume over existing file, file exists ${root}${destination}`
      : `source ${root}${destination} is not directory`;
    throw new HavreError("invalid-argument", message, { cause: error });
  }
}

/**
 * Mounts the container's volumes for it and returns its mounts with where they are now. What fails later undoes it.
 * `hideParts` is to follow when the runtime has bound them.
 */
export async function mountVolumes(
  context: EngineContext,
  container: Container,
  undoes: Undoes,
): Promise<readonly MountPoint[]> {
  const { id, spec } = container;
  const mounted = new Map<string, string>();
  if (volumesOf(container).length > 0) undoes.add(() => unmountVolumes(context, container));
  for (const name of volumesOf(container)) mounted.set(name, await context.volumes.mount(name, id));
  return spec.mounts.map((point) => {
    const path = point.type === "volume" && point.name !== undefined ? mounted.get(point.name) : undefined;
    if (path === undefined) return point;
    const source = point.subpath === undefined ? path : context.volumes.showPart(path, point.subpath, id);
    const shown = { ...point, source };
    tell(context, id, shown, "mount");
    return shown;
  });
}

/** Gives back what `mountVolumes` got. Free of effect twice but for its events. */
export async function unmountVolumes(context: EngineContext, container: Container): Promise<void> {
  const { id } = container;
  await runAll([
    () => context.volumes.hideParts(id),
    ...volumesOf(container).map((name) => () => context.volumes.unmount(name, id)),
  ]);
  for (const point of volumePoints(container)) tell(context, id, point, "unmount");
}

function tell({ events }: EngineContext, container: string, point: MountPoint, action: "mount" | "unmount"): void {
  const { name = "", driver = "", destination, propagation, writable } = point;
  const how = { destination, propagation, "read/write": String(writable) };
  events.emitVolume({ action, name, attributes: { container, driver, ...(action === "mount" ? how : {}) } });
}
