import type { Container } from "../../engine/mod.ts";
import type { Image } from "../../images/mod.ts";
import type { Sizes } from "./projections/container-summary.ts";
import { sharedSizes } from "./shared-sizes.ts";
import type { UseCases } from "./use-cases.ts";

export interface DiskUsage {
  /** Bytes of all image layers, each counted once. */
  readonly layersSize: number;
  readonly images: readonly { readonly image: Image; readonly shared: number; readonly containers: number }[];
  readonly containers: readonly { readonly container: Container; readonly sizes: Sizes; readonly shownImage: string }[];
}

/** What images and containers use, for `GET /system/df`. */
export async function diskUsage(
  useCases: UseCases,
  asked: { readonly containers: boolean; readonly images: boolean },
): Promise<DiskUsage> {
  const containers = useCases.containers.list();
  const images = asked.images ? useCases.images.list({}) : [];
  const shared = sharedSizes(images);
  const measured = (asked.containers ? containers : []).map(async (container) => {
    const { writable, rootSize } = await useCases.containers.usage(container.id);
    return {
      container,
      sizes: { writable: writable.size, root: rootSize },
      shownImage: shownName(container, useCases),
    };
  });
  const own = images.reduce((sum, { id, size }) => sum + size - (shared.get(id) ?? 0), 0);
  const largestShared = Math.max(0, ...[...shared.values()]);
  return {
    layersSize: own + largestShared,
    images: images.map((image) => ({
      image,
      shared: shared.get(image.id) ?? 0,
      containers: containers.filter(({ spec }) => spec.imageId === image.id).length,
    })),
    containers: await Promise.all(measured),
  };
}

function shownName({ spec }: Container, { images }: UseCases): string {
  const { imageId, config } = spec;
  if (imageId === undefined || images.find(config.Image)?.id === imageId) return config.Image;
  return imageId;
}
