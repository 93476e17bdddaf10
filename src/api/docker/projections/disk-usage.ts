import { rfc3339Nano } from "../../../base/mod.ts";
import type { CacheEntry } from "../../../builder/mod.ts";
import type { Container } from "../../../engine/mod.ts";
import type { DiskUsage } from "../../../images/mod.ts";
import type { VolumeUsage } from "../../../volumes/mod.ts";
import type { ApiVersion } from "../api-version.ts";
import { containerSummaryView, type Sizes, type Surroundings } from "./container-summary.ts";
import { imageSummaryView } from "./image.ts";
import { volumeUsageView } from "./volume.ts";

/** What there is to tell: undefined where it was not asked for. */
export interface UsageReport {
  readonly images: DiskUsage | undefined;
  readonly containers: readonly { readonly container: Container; readonly sizes: Sizes }[] | undefined;
  readonly volumes: readonly VolumeUsage[] | undefined;
  readonly buildCache: readonly CacheEntry[] | undefined;
}

/** `GET /system/df`: what was not asked for is null. */
export function diskUsageView(report: UsageReport, surroundings: Surroundings, version: ApiVersion) {
  const { images, containers, volumes, buildCache } = report;
  return {
    LayersSize: images?.layersSize ?? 0,
    Images:
      images?.images.map(({ image, sharedSize, containers: count }) =>
        imageSummaryView(image, version, { shared: sharedSize, containers: count }),
      ) ?? null,
    Containers:
      containers?.map(({ container, sizes }) => containerSummaryView(container, surroundings, version, sizes)) ?? null,
    Volumes: volumes?.map(volumeUsageView) ?? null,
    BuildCache: buildCache?.map((entry) => buildCacheView(entry)) ?? null,
    ...(version.before(42) ? { BuilderSize: (buildCache ?? []).reduce((sum, { size }) => sum + size, 0) } : {}),
  };
}

/** Docker's `BuildCache`. */
function buildCacheView({ id, kind, description, size, inUse, shared, createdAt, usedAt, uses }: CacheEntry) {
  return {
    ID: id.replace(/^sha256:/, "").slice(0, 25),
    Type: kind === "folder" ? "exec.cachemount" : "regular",
    Description: description,
    InUse: inUse,
    Shared: shared,
    Size: size,
    CreatedAt: rfc3339Nano(createdAt),
    LastUsedAt: rfc3339Nano(usedAt),
    UsageCount: uses,
  };
}
