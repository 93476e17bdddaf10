import { shortId } from "../../../base/mod.ts";
import { jsonFlag, noTruncFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printJson, printList } from "../../output/format.ts";
import { ago, humanSize } from "../../output/units.ts";
import { ellipsis } from "../../output/width.ts";

/** `GET /havre/v1/image-log`. */
interface LogEntry {
  readonly entry: {
    readonly created?: string;
    readonly created_by?: string;
    readonly author?: string;
    readonly comment?: string;
  };
  readonly layer?: {
    readonly diffId: string;
    readonly size: number;
    readonly arrived?: { readonly origin: string; readonly at: number; readonly container?: string };
  };
}

/** `GET /havre/v1/tag-history`. */
interface TagChange {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly action: string;
  readonly to?: { readonly image: string };
  readonly present: boolean;
}

const STEP_WIDTH = 45;

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE",
  summary: "Show how an image came about: each layer, by what, when, by whom",
  examples: [
    ["image log app:1.2", "Its steps, latest first"],
    ["image log --tag app:latest", "What the name pointed to over time"],
  ],
  flags: {
    json: jsonFlag,
    "no-trunc": noTruncFlag,
    tag: toggle("History of the name: every image it ever pointed to", { short: "t" }),
  },
  min: 1,
  max: 1,
  run: ({ context, flags, args: [name = ""] }) =>
    flags.tag ? tagLog(context, name, flags) : layerLog(context, name, flags),
});

interface View {
  readonly json: boolean;
  readonly "no-trunc": boolean;
}

async function layerLog(context: Context, name: string, view: View): Promise<number> {
  const client = await context.client();
  const entries = await client.json<LogEntry[]>("GET", "/havre/v1/image-log", { query: { name } });
  if (view.json) {
    printJson(context.out, entries);
    return 0;
  }
  const trunc = !view["no-trunc"];
  await printList(context.out, {
    rows: entries.map(({ entry, layer }) => ({
      Layer: () => (layer ? (trunc ? shortId(layer.diffId) : layer.diffId) : "-"),
      Created: () => (entry.created === undefined ? "" : ago(Date.parse(entry.created) / 1000)),
      By: () => entry.author || "-",
      Step: () => step(entry, trunc),
      Size: () => (layer ? humanSize(layer.size, 3) : "0B"),
      Arrived: () => arrival(layer?.arrived),
    })),
    headings: { Layer: "LAYER", Created: "CREATED", By: "BY", Step: "STEP", Size: "SIZE", Arrived: "ARRIVED HERE" },
    typeName: "imageLog",
    format: "table {{.Layer}}\t{{.Created}}\t{{.By}}\t{{.Step}}\t{{.Size}}\t{{.Arrived}}",
    fit: trunc,
  });
  return 0;
}

function step({ created_by, comment }: LogEntry["entry"], trunc: boolean): string {
  const text = (created_by || comment || "").replaceAll(/\s+/g, " ");
  return trunc ? ellipsis(text, STEP_WIDTH) : text;
}

function arrival(arrived: NonNullable<LogEntry["layer"]>["arrived"]): string {
  if (!arrived) return "";
  const from = arrived.container === undefined ? "" : ` of ${shortId(arrived.container)}`;
  return `${arrived.origin}${from} ${ago(arrived.at / 1000)}`;
}

async function tagLog(context: Context, name: string, view: View): Promise<number> {
  const client = await context.client();
  const changes = await client.json<TagChange[]>("GET", "/havre/v1/tag-history", { query: { name } });
  if (view.json) {
    printJson(context.out, changes);
    return 0;
  }
  await printList(context.out, {
    rows: [...changes].reverse().map(({ at, action, to, present }) => ({
      When: () => ago(at / 1000),
      Action: () => action,
      Image: () => (to === undefined ? "-" : view["no-trunc"] ? to.image : shortId(to.image)),
      Here: () => (to === undefined ? "" : present ? "yes" : "removed"),
    })),
    headings: { When: "WHEN", Action: "ACTION", Image: "IMAGE ID", Here: "HERE" },
    typeName: "tagHistory",
    format: "table {{.When}}\t{{.Action}}\t{{.Image}}\t{{.Here}}",
  });
  return 0;
}
