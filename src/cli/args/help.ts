import type { Command } from "../command.ts";
import type { Entry, Group } from "../commands/table.ts";
import type { Flags } from "./flags.ts";

/** What `havre COMMAND --help` prints: usage, what it does, options, examples. */
export function commandHelp(words: readonly string[], command: Command, columns?: number): string {
  const name = ["havre", ...words].join(" ");
  const parts = [`Usage:  ${name} ${command.usage}`.trimEnd(), command.summary];
  if (command.detail) parts.push(wrap(command.detail, columns).join("\n"));
  const options = flagLines(command.flags, columns);
  if (options.length > 0) parts.push(`Options:\n${options.join("\n")}`);
  if (command.examples.length > 0) {
    const lines = command.examples.map(([line, why]) => `  # ${why}\n  havre ${line}`);
    parts.push(`Examples:\n${lines.join("\n\n")}`);
  }
  return `${parts.join("\n\n")}\n`;
}

/** What a group's `--help` prints: its commands, one line each. */
export async function groupHelp(
  words: readonly string[],
  group: Group,
  globals: Flags,
  columns?: number,
): Promise<string> {
  const name = ["havre", ...words].join(" ");
  const options = words.length === 0 ? "[OPTIONS] " : "";
  const parts = [`Usage:  ${name} ${options}COMMAND`, group.summary];
  const shown = Object.entries(group.commands).filter(([, entry]) => "commands" in entry || !entry.hidden);
  const groups = shown.filter(([, entry]) => "commands" in entry && words.length === 0);
  const { common = [] } = group;
  const leaves = shown.filter((pair) => !groups.includes(pair) && !common.includes(pair[0]));
  if (common.length > 0) {
    const first = common.flatMap((word) => shown.filter(([known]) => known === word));
    parts.push(`Common Commands:\n${(await entryLines(first, columns, { sorted: false })).join("\n")}`);
  }
  if (groups.length > 0) parts.push(`Management Commands:\n${(await entryLines(groups, columns)).join("\n")}`);
  parts.push(`Commands:\n${(await entryLines(leaves, columns)).join("\n")}`);
  if (words.length === 0) parts.push(`Global Options:\n${flagLines(globals, columns).join("\n")}`);
  parts.push(`Run '${name} COMMAND --help' for more information on a command.`);
  if (words.length === 0)
    parts.push("New to containers? 'havre run --rm -it catalogue.internal/debian:12 bash' is a shell in one.");
  return `${parts.join("\n\n")}\n`;
}

/** Help for whatever the words led to. */
export async function helpFor(
  found: { readonly entry: Entry; readonly words: readonly string[] },
  before: readonly string[],
  columns?: number,
): Promise<string> {
  const words = [...before, ...found.words];
  if ("commands" in found.entry) return groupHelp(words, found.entry, {}, columns);
  return commandHelp(words, (await found.entry.load()).command, columns);
}

async function entryLines(
  entries: readonly (readonly [string, Entry])[],
  columns: number | undefined,
  order: { readonly sorted: boolean } = { sorted: true },
): Promise<string[]> {
  const width = Math.max(...entries.map(([name]) => name.length)) + 2;
  const sorted = order.sorted ? [...entries].sort(([a], [b]) => (a < b ? -1 : 1)) : entries;
  return Promise.all(
    sorted.map(async ([name, entry]) => {
      const summary = "commands" in entry ? entry.summary : (await entry.load()).command.summary;
      return hang(`  ${name.padEnd(width)}`, summary, columns);
    }),
  );
}

function flagLines(flags: Flags, columns: number | undefined): string[] {
  const shown = Object.entries(flags).filter(([, flag]) => !flag.hidden);
  shown.sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = shown.map(([name, flag]) => {
    const left = `  ${flag.short ? `-${flag.short}, ` : "    "}--${name}${flag.type === "" ? "" : ` ${flag.type}`}`;
    return { left, help: flag.help + (flag.defaultText === undefined ? "" : ` (default ${flag.defaultText})`) };
  });
  const width = Math.max(0, ...rows.map(({ left }) => left.length)) + 3;
  return rows.map(({ left, help }) => hang(left.padEnd(width), help, columns));
}

/** A text beside what it explains, its further lines below its first. */
function hang(left: string, text: string, columns: number | undefined): string {
  const room = columns === undefined ? undefined : columns - left.length;
  return left + wrap(text, room).join(`\n${" ".repeat(left.length)}`);
}

/** Narrower than this nothing is wrapped: the terminal does it no worse. */
const NARROW = 24;

/** Lines of at most `room` columns, broken at spaces; a line's own indentation is kept. */
function wrap(text: string, room: number | undefined): string[] {
  const lines = text.split("\n");
  if (room === undefined || room < NARROW) return lines;
  return lines.flatMap((line) => {
    const indent = /^\s*/.exec(line)?.[0] ?? "";
    const wrapped: string[] = [];
    let current = "";
    for (const word of line.split(/(?<=\S) (?=\S)/)) {
      if (current !== "" && current.length + 1 + word.length > room) {
        wrapped.push(current);
        current = indent + word;
      } else current = current === "" ? word : `${current} ${word}`;
    }
    return [...wrapped, current];
  });
}
