import { printList } from "../../output/format.ts";
import type { Output } from "../../output/output.ts";
import { ago, humanSize } from "../../output/units.ts";
import type { ContainerSummary, ImageSummary } from "../../types.ts";
import { containerHeadings, containerRow } from "../container/view.ts";
import { imageHeadings, imageNames, imageRow } from "../image/view.ts";

/** `GET /system/df`. */
export interface DiskUsage {
  readonly LayersSize?: number;
  readonly Images: readonly ImageSummary[] | null;
  readonly Containers: readonly ContainerSummary[] | null;
  readonly Volumes:
    | readonly {
        readonly Name: string;
        readonly UsageData?: { readonly Size: number; readonly RefCount: number } | null;
      }[]
    | null;
  readonly BuildCache?:
    | readonly {
        readonly ID: string;
        readonly Type: string;
        readonly Description?: string;
        readonly Size: number;
        readonly InUse: boolean;
        readonly Shared: boolean;
        readonly CreatedAt: string;
        readonly LastUsedAt?: string | null;
        readonly UsageCount: number;
      }[]
    | null;
  readonly BuilderSize?: number;
}

const cacheHeadings = {
  ID: "CACHE ID",
  CacheType: "CACHE TYPE",
  Size: "SIZE",
  CreatedSince: "CREATED",
  LastUsedSince: "LAST USED",
  UsageCount: "USAGE",
  Shared: "SHARED",
};

/** `system df -v`: each thing with its size. */
export async function printVerbose(out: Output, usage: DiskUsage): Promise<void> {
  out.write("Images space usage:\n\n");
  await printList(out, {
    rows: (usage.Images ?? []).flatMap((image) =>
      imageNames(image, { digests: false, perDigest: false })
        .slice(0, 1)
        .map((name) => imageRow(image, name, true)),
    ),
    headings: imageHeadings,
    typeName: "*formatter.imageContext",
    format:
      "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
  });
  out.write("\nContainers space usage:\n\n");
  await printList(out, {
    rows: (usage.Containers ?? []).map((container) => containerRow({ ...container, SizeRootFs: 0 }, true)),
    headings: containerHeadings,
    typeName: "*formatter.ContainerContext",
    format:
      "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}",
  });
  out.write("\nLocal Volumes space usage:\n\n");
  await printList(out, {
    rows: (usage.Volumes ?? []).map(({ Name, UsageData }) => ({
      Links: () => String(UsageData?.RefCount ?? "N/A"),
      Name: () => Name,
      Size: () => (UsageData && UsageData.Size !== -1 ? humanSize(UsageData.Size) : "N/A"),
    })),
    headings: { Name: "VOLUME NAME", Links: "LINKS", Size: "SIZE" },
    typeName: "*formatter.volumeContext",
    format: "table {{.Name}}\t{{.Links}}\t{{.Size}}",
  });
  out.write(`\nBuild cache usage: ${humanSize(cacheSize(usage).total)}\n\n`);
  await printBuildCache(out, usage, false);
}

/** Bytes of the build cache, and of that part of it that images have too. */
export function cacheSize({ BuildCache }: Pick<DiskUsage, "BuildCache">): {
  readonly total: number;
  readonly shared: number;
} {
  const sum = (shared: boolean) =>
    (BuildCache ?? []).filter(({ Shared }) => Shared === shared).reduce((bytes, { Size }) => bytes + Size, 0);
  return { total: sum(false), shared: sum(true) };
}

/** The build cache as a table; `described`: with what each is. */
export async function printBuildCache(
  out: Output,
  usage: Pick<DiskUsage, "BuildCache">,
  described: boolean,
): Promise<void> {
  const columns =
    "{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}";
  await printList(out, {
    rows: (usage.BuildCache ?? []).map((record) => ({
      CacheType: () => record.Type,
      CreatedSince: () => ago(Date.parse(record.CreatedAt) / 1000),
      Description: () => record.Description ?? "",
      ID: () => record.ID.slice(0, 12),
      LastUsedSince: () => (record.LastUsedAt ? ago(Date.parse(record.LastUsedAt) / 1000) : ""),
      Shared: () => String(record.Shared),
      Size: () => humanSize(record.Size, 3),
      UsageCount: () => String(record.UsageCount),
    })),
    headings: { ...cacheHeadings, Description: "DESCRIPTION" },
    typeName: "*formatter.buildCacheContext",
    format: `table ${columns}${described ? "\t{{.Description}}" : ""}`,
    fit: described,
  });
}
