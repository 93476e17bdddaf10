import { HavreError } from "../../base/mod.ts";
import { makeTreeFolder } from "../../snapshots/mod.ts";
import type { Container, ContainerSpec } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { getContainer } from "../lookup.ts";

/** The places where the image or the request wants a volume and nothing else is mounted. */
function volumePlaces({ config, mounts }: ContainerSpec): readonly string[] {
  const taken = new Set(mounts.map(({ destination }) => destination));
  return Object.keys(config.Volumes ?? {}).filter((path) => !taken.has(path));
}

/**
 * While there are no volumes, the place of one is a folder of the container's own layer: there from the beginning, as a
 * volume would be. Returns a warning for each.
 */
export async function makeVolumeFolders(
  context: EngineContext,
  { id, spec }: Pick<Container, "id" | "spec">,
): Promise<readonly string[]> {
  const places = volumePlaces(spec);
  if (places.length === 0) return [];
  const root = await context.snapshots.mount(id);
  try {
    for (const place of places) makeTreeFolder(root, place);
  } finally {
    await context.snapshots.unmount(id);
  }
  return places.map((place) => `Volumes are not available yet: ${place} is kept in the container's own layer`);
}

/** A container that has folders for volumes has nothing to share: `not-implemented`, rather than another, empty folder. */
export function refuseSharedVolumes(context: EngineContext, { VolumesFrom }: ContainerSpec["hostConfig"]): void {
  for (const from of VolumesFrom ?? []) {
    const { name, spec } = getContainer(context.store, from.split(":")[0] ?? "");
    const [place] = volumePlaces(spec);
    if (place === undefined) continue;
    throw new HavreError("not-implemented", `Volume ${place} of container ${name}: volumes are not available yet`, {
      hint: "Mount a host folder by its absolute path in both containers",
    });
  }
}
