import { jsonFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printJson, printList } from "../../output/format.ts";
import { showDrift, timesText, usedGrants } from "../learn/drift.ts";

/** `GET /havre/v1/grants`: a word that can be granted. */
interface GrantWord {
  readonly word: string;
  readonly value?: string;
  readonly opens: string;
  readonly gains: string;
}

/** `GET /havre/v1/containers/NAME/grants`. */
interface GrantAnswer {
  readonly profile: string;
  readonly rules: readonly { readonly rule: string; readonly explain: string; readonly lifted: readonly string[] }[];
  readonly landlock: readonly string[];
  readonly grants: readonly (Omit<GrantWord, "word" | "value"> & { readonly grant: string; readonly by: string })[];
}

export const command = defineCommand({
  usage: "[OPTIONS] [CONTAINER]",
  summary: "What a container was granted beyond its profile; without one, everything that can be granted",
  examples: [
    ["grants", "The words, what each opens and what an attacker would gain"],
    ["grants web", "What web may do, who asked for it"],
    ["grants --drift web", "What web used of that, and what it used beyond"],
    ["run --profile hardened --grant net-bind nginx", "Ask for one"],
  ],
  flags: {
    json: jsonFlag,
    drift: toggle("Compare what it was granted with what it used while it was watched (--observe)"),
  },
  min: 0,
  max: 1,
  async run({ context, flags, args: [name] }) {
    const client = await context.client();
    if (name === undefined) {
      const words = await client.json<GrantWord[]>("GET", "/havre/v1/grants");
      if (flags.json) printJson(context.out, words);
      else await printWords(context, words);
      return 0;
    }
    if (flags.drift) {
      await showDrift(context, name, flags.json);
      return 0;
    }
    const answer = await client.json<GrantAnswer>("GET", `/havre/v1/containers/${encodeURIComponent(name)}/grants`);
    if (flags.json) printJson(context.out, answer);
    else await printGrants(context, name, answer, await usedGrants(client, name));
    return 0;
  },
});

async function printWords(context: Context, words: readonly GrantWord[]): Promise<void> {
  await printList(context.out, {
    rows: words.map(({ word, value, opens, gains }) => ({
      Grant: () => (value === undefined ? word : `${word}:${value}`),
      Opens: () => opens,
      Gains: () => gains,
    })),
    headings: { Grant: "GRANT", Opens: "OPENS", Gains: "WHO BREAKS IN GAINS" },
    typeName: "grant",
    format: "table {{.Grant}}\t{{.Opens}}\t{{.Gains}}",
    fit: true,
  });
}

/** @param used how often each was used; undefined: nobody watched. */
async function printGrants(
  context: Context,
  name: string,
  { profile, rules, landlock, grants }: GrantAnswer,
  used: ReadonlyMap<string, number> | undefined,
): Promise<void> {
  context.out.line(`${name} is under the ${profile} profile\n`);
  const width = Math.max(...rules.map(({ rule }) => rule.length));
  for (const { rule, explain, lifted } of rules)
    context.out.line(
      `  ${rule.padEnd(width)}  ${explain}${lifted.length === 0 ? "" : `  [granted: ${lifted.join(", ")}]`}`,
    );
  context.out.line("\nLandlock");
  for (const line of landlock) context.out.line(`  ${line}`);
  context.out.line("");
  if (grants.length === 0) {
    context.out.line("Nothing was granted beyond that");
    return;
  }
  await printList(context.out, {
    rows: grants.map(({ grant, by, opens, gains }) => ({
      By: () => (by === "grant" ? "--grant" : by),
      Grant: () => grant,
      Used: () => usedText(used, grant),
      Opens: () => opens,
      Gains: () => gains,
    })),
    headings: { Grant: "GRANTED", Used: "USED", By: "ASKED BY", Opens: "OPENS", Gains: "WHO BREAKS IN GAINS" },
    typeName: "grant",
    format: "table {{.Grant}}\t{{.By}}\t{{.Used}}\t{{.Opens}}\t{{.Gains}}",
    fit: true,
  });
}

function usedText(used: ReadonlyMap<string, number> | undefined, grant: string): string {
  if (used === undefined) return "not watched";
  const times = used.get(grant);
  if (times === undefined) return "cannot be seen";
  return timesText(times);
}
