import { HavreError } from "../../../base/mod.ts";
import { jsonFlag } from "../../args/common.ts";
import { text, toggle } from "../../args/flags.ts";
import { parseDuration } from "../../args/time.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import { humanSize } from "../../output/units.ts";
import { askRegistry, rootFlag } from "./owner.ts";

type Line =
  | {
      readonly phase: "repositories" | "content";
      readonly looked: number;
      readonly total: number;
      readonly removed: number;
      readonly freed: number;
    }
  | { readonly done: Done };
interface Done {
  readonly unlinked: number;
  readonly removed: number;
  readonly freed: number;
  readonly dryRun: boolean;
}

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove what no manifest of a registry needs any more",
  detail: `The registry goes on serving meanwhile. First each repository loses the blobs that none of its manifests
names, then go the files that no repository has. What came within the last hour stays: its manifest may be on its way.`,
  examples: [
    ["registry gc --dry-run", "How much there is to win"],
    ["registry gc --root /srv/registry --grace 10m", "For a registry whose pushes take less than ten minutes"],
  ],
  flags: {
    "dry-run": toggle("Only tell what would go"),
    grace: text("How long a blob without a manifest is left alone", { initial: "1h", defaultText: "1h" }),
    json: jsonFlag,
    root: rootFlag,
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const grace = parseDuration(flags.grace);
    if (grace === undefined || grace < 0) {
      throw new HavreError("invalid-argument", `${JSON.stringify(flags.grace)} is not a duration such as 1h or 10m`);
    }
    const dryRun = flags["dry-run"];
    let done: Done | undefined;
    const query = { "dry-run": String(dryRun), grace: Math.round(grace) };
    for await (const line of askRegistry<Line>(context, flags.root, "collect", query)) {
      if ("done" in line) done = line.done;
      else if (context.err.isTerminal) {
        const what = line.phase === "repositories" ? "blobs of repositories" : "files";
        context.err.write(`\r\x1b[K${line.looked} of ${line.total} ${what} looked at, ${humanSize(line.freed)} freed`);
      }
    }
    if (context.err.isTerminal) context.err.write("\r\x1b[K");
    if (!done) throw new HavreError("unavailable", "The registry ended before it was done", { hint: "Run it again" });
    if (flags.json) {
      printJson(context.out, done);
      return 0;
    }
    const verb = dryRun ? "Would remove" : "Removed";
    context.out.line(
      `${verb} ${count(done.unlinked, "blob")} from repositories and ${count(done.removed, "file")}, ${humanSize(done.freed)}`,
    );
    return 0;
  },
});

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
