import { shortId } from "../../../base/mod.ts";
import { jsonFlag, quietFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";

/** `GET /havre/v1/image-check`. */
interface Checked {
  readonly id: string;
  readonly tags: readonly string[];
  readonly parts: readonly {
    readonly kind: "blob" | "layer";
    readonly digest: string;
    readonly state: "whole" | "unpacked" | "damaged";
    readonly why?: string;
  }[];
}

export const command = defineCommand({
  usage: "[OPTIONS] [IMAGE...]",
  summary: "Read images anew and compare every byte with its digest",
  detail:
    "Without a name all images are read. Before a container starts only those layers are read whose files were touched since they were made: " +
    "this finds what the disk itself has lost. Layers that were unpacked a moment ago have no digest to compare with yet, and are counted apart. Exits with 1 when anything is damaged.",
  examples: [
    ["image verify", "Every image"],
    ["image verify --json debian:12", "One, with every part"],
  ],
  flags: { quiet: quietFlag("Only tell what is damaged"), json: jsonFlag },
  min: 0,
  async run({ context, flags, args }) {
    const client = await context.client();
    const names =
      args.length > 0 ? args : (await client.json<{ Id: string }[]>("GET", "/images/json")).map(({ Id }) => Id);
    const all: Checked[] = [];
    for (const name of names) {
      const checked = await client.json<Checked>("GET", "/havre/v1/image-check", { query: { name } });
      all.push(checked);
      if (!flags.json) tell(checked, flags.quiet, (line) => context.out.line(line));
    }
    if (flags.json) printJson(context.out, all);
    return all.some(({ parts }) => parts.some(({ state }) => state === "damaged")) ? 1 : 0;
  },
});

function tell({ id, tags, parts }: Checked, quiet: boolean, line: (text: string) => void): void {
  const name = tags[0] ?? shortId(id);
  const of = (state: string) => parts.filter((part) => part.state === state);
  for (const { kind, digest, why } of of("damaged")) line(`${name}: ${kind} ${digest}: ${why}`);
  if (quiet || of("damaged").length > 0) return;
  const unpacked = of("unpacked").length;
  const rest = unpacked === 0 ? "" : `, ${unpacked} unpacked ${unpacked === 1 ? "layer" : "layers"} not compared`;
  line(`${name}: ${of("whole").length} parts whole${rest}`);
}
