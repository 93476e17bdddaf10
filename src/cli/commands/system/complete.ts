import { isHavreError } from "../../../base/mod.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import type { ContainerSummary, ImageSummary, NetworkSummary } from "../../types.ts";
import { commandTable, type Entry } from "../table.ts";

interface Answer {
  readonly word: string;
  readonly description?: string;
}

export const command = defineCommand({
  usage: "-- WORD...",
  summary: "What may come next on a command line, for the shells' completion",
  examples: [],
  flags: {},
  min: 0,
  interspersed: false,
  async run({ context, args }) {
    const answers = await complete(context, args);
    for (const { word, description } of answers)
      context.out.line(description === undefined ? word : `${word}\t${description}`);
    return 0;
  },
});

/** The last word is the one being typed. */
async function complete(context: Context, words: readonly string[]): Promise<Answer[]> {
  const typed = words.at(-1) ?? "";
  let entry: Entry = commandTable;
  let at = 0;
  for (; at < words.length - 1 && "commands" in entry; at++) {
    const next: Entry | undefined = entry.commands[words[at] ?? ""];
    if (!next) return [];
    entry = next;
  }
  const fits = (answers: Answer[]) => answers.filter(({ word }) => word.startsWith(typed));
  if ("commands" in entry) return fits(await commandAnswers(entry.commands));
  const { command: found } = await entry.load();
  if (typed.startsWith("-"))
    return fits(
      Object.entries(found.flags)
        .filter(([, flag]) => !flag.hidden)
        .map(([name, flag]) => ({ word: `--${name}`, description: flag.help.split("\n")[0] ?? "" })),
    );
  const kinds = [...found.usage.matchAll(/\b(?:NETWORK|CONTAINER)\b/g)].map(([kind]) => kind);
  if (kinds[0] === "NETWORK") {
    const before = words.slice(at, -1).filter((word) => !word.startsWith("-")).length;
    return fits(
      kinds[Math.min(before, kinds.length - 1)] === "NETWORK"
        ? await networkNames(context)
        : await containerNames(context),
    );
  }
  const wantsContainer = /\bCONTAINER\b/.test(found.usage);
  const wantsImage = /\bIMAGE\b|SOURCE_IMAGE/.test(found.usage);
  if (!wantsContainer && !wantsImage) return [];
  return fits(wantsContainer ? await containerNames(context) : await imageNames(context));
}

async function commandAnswers(commands: Readonly<Record<string, Entry>>): Promise<Answer[]> {
  const shown = Object.entries(commands).filter(([, entry]) => "commands" in entry || !entry.hidden);
  return Promise.all(
    shown.map(async ([word, entry]) => ({
      word,
      description: "commands" in entry ? entry.summary : (await entry.load()).command.summary,
    })),
  );
}

async function containerNames(context: Context): Promise<Answer[]> {
  const containers = await ask<ContainerSummary[]>(context, "/containers/json?all=1");
  return containers.flatMap(({ Names, Image }) =>
    (Names ?? []).map((name) => ({ word: name.replace(/^\//, ""), description: Image })),
  );
}

async function networkNames(context: Context): Promise<Answer[]> {
  const networks = await ask<NetworkSummary[]>(context, "/networks");
  return networks.map(({ Name, Driver }) => ({ word: Name, description: Driver }));
}

async function imageNames(context: Context): Promise<Answer[]> {
  const images = await ask<ImageSummary[]>(context, "/images/json");
  return images.flatMap(({ RepoTags }) => (RepoTags ?? []).map((word) => ({ word })));
}

/** Completion never starts a daemon and never complains. */
async function ask<T extends readonly unknown[]>(context: Context, path: string): Promise<T> {
  const { Client, parseAddress, socketTransport } = await import("../../../client/mod.ts");
  try {
    const address = parseAddress(context.places.host ?? `${context.places.run}/havre.sock`);
    return await new Client(socketTransport(address)).json<T>("GET", path);
  } catch (error) {
    if (isHavreError(error)) return [] as unknown as T;
    throw error;
  }
}
