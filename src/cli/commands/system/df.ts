import { formatFlag, jsonFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import { humanSize } from "../../output/units.ts";
import type { Row } from "../../template/mod.ts";
import type { ContainerSummary } from "../../types.ts";
import type { DiskUsage } from "./disk-usage.ts";

const headings = { Type: "TYPE", TotalCount: "TOTAL", Active: "ACTIVE", Size: "SIZE", Reclaimable: "RECLAIMABLE" };

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show disk usage",
  examples: [
    ["system df -v", "Each image, container and volume"],
    ["system df --why", "Every blob and layer, and who needs it"],
  ],
  flags: {
    format: formatFlag,
    json: jsonFlag,
    verbose: toggle("Show detailed information on space usage", { short: "v" }),
    why: toggle("Account for every byte: what is on disk and who needs it"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const client = await context.client();
    if (flags.why) {
      const { printAccounts } = await import("./accounts.ts");
      return printAccounts(context, client, flags.json);
    }
    const usage = await client.json<DiskUsage>("GET", "/system/df");
    if (flags.json) printJson(context.out, usage);
    else if (flags.verbose && (flags.format === "" || flags.format === "table")) {
      const { printVerbose } = await import("./disk-usage.ts");
      await printVerbose(context.out, usage);
    } else {
      await printList(context.out, {
        rows: [imagesRow(usage), containersRow(usage), volumesRow(usage), cacheRow(usage)],
        headings,
        typeName: "*formatter.diskUsageContext",
        format:
          flags.format === "" || flags.format === "table"
            ? "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
            : flags.format,
      });
    }
    return 0;
  },
});

const percent = (part: number, whole: number) =>
  whole > 0 ? `${humanSize(part)} (${Math.trunc((part * 100) / whole)}%)` : humanSize(part);

function row(type: string, total: number, active: number, size: number, reclaimable: string): Row {
  return {
    Active: () => String(active),
    Reclaimable: () => reclaimable,
    Size: () => humanSize(size),
    TotalCount: () => String(total),
    Type: () => type,
  };
}

function imagesRow({ Images, LayersSize = 0 }: DiskUsage): Row {
  const images = Images ?? [];
  const active = images.filter(({ Containers }) => Containers > 0).length;
  const used = images
    .filter(({ Containers, Size, SharedSize }) => Containers !== 0 && Size !== -1 && SharedSize !== -1)
    .reduce((sum, { Size, SharedSize }) => sum + Size - SharedSize, 0);
  return row("Images", images.length, active, LayersSize, percent(LayersSize - used, LayersSize));
}

const isActive = ({ State }: ContainerSummary) => /running|paused|restarting/.test(State);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function containersRow({ Containers }: DiskUsage): Row {
  const containers = Containers ?? [];
  const size = sum(containers.map(({ SizeRw }) => SizeRw ?? 0));
  const idle = sum(containers.filter((one) => !isActive(one)).map(({ SizeRw }) => SizeRw ?? 0));
  return row("Containers", containers.length, containers.filter(isActive).length, size, percent(idle, size));
}

function volumesRow({ Volumes }: DiskUsage): Row {
  const volumes = (Volumes ?? []).map(({ UsageData }) => ({
    size: UsageData?.Size ?? -1,
    users: UsageData?.RefCount ?? 0,
  }));
  const known = volumes.filter(({ size }) => size !== -1);
  const size = sum(known.map((volume) => volume.size));
  const idle = sum(known.filter(({ users }) => users === 0).map((volume) => volume.size));
  return row(
    "Local Volumes",
    volumes.length,
    volumes.filter(({ users }) => users > 0).length,
    size,
    percent(idle, size),
  );
}

function cacheRow({ BuildCache }: DiskUsage): Row {
  const cache = BuildCache ?? [];
  const own = cache.filter(({ Shared }) => !Shared);
  const size = sum(own.map(({ Size }) => Size));
  const inUse = sum(own.filter(({ InUse }) => InUse).map(({ Size }) => Size));
  return row("Build Cache", cache.length, cache.filter(({ InUse }) => InUse).length, size, humanSize(size - inUse));
}
