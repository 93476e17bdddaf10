import type { ApiVersion } from "../api-version.ts";
import type { DiskUsage } from "../disk-usage.ts";
import { containerSummaryView } from "./container-summary.ts";
import { imageSummaryView } from "./image.ts";

/** `GET /system/df`: what was not asked for is null. */
export function diskUsageView(usage: DiskUsage, asked: readonly string[], version: ApiVersion) {
  const now = Date.now();
  const has = (type: string) => asked.includes(type);
  return {
    LayersSize: usage.layersSize,
    Images: has("image")
      ? usage.images.map(({ image, shared, containers }) => imageSummaryView(image, version, { shared, containers }))
      : null,
    Containers: has("container")
      ? usage.containers.map(({ container, sizes, shownImage }) =>
          containerSummaryView(container, shownImage, now, sizes),
        )
      : null,
    Volumes: has("volume") ? [] : null,
    BuildCache: has("build-cache") ? [] : null,
    ...(version.before(42) ? { BuilderSize: 0 } : {}),
  };
}
