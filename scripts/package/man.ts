/**
 * Manual pages, made of the command table: `havre(1)` and one for each command and group, `havre-network-create(1)`.
 * Source: man-pages(7), man(7).
 */
import type { Flags } from "../../src/cli/args/flags.ts";
import type { Command } from "../../src/cli/command.ts";
import type { Entry, Group } from "../../src/cli/commands/table.ts";

export interface ManualPage {
  /** `havre-run.1` */
  readonly name: string;
  /** In roff. */
  readonly text: string;
}

export interface Manual {
  readonly version: string;
  /** Day of the pages: `2026-11-24`. */
  readonly date: string;
  readonly globals: Flags;
}

/** Every page: commands under each of their names, those left out of help excepted. */
export async function manualPages(table: Group, manual: Manual): Promise<ManualPage[]> {
  return pagesBelow([], table, manual);
}

async function pagesBelow(words: readonly string[], entry: Entry, manual: Manual): Promise<ManualPage[]> {
  if (!("commands" in entry)) {
    const { command } = await entry.load();
    return [page(words, command.summary, commandSections(words, command), manual)];
  }
  const shown = Object.entries(entry.commands)
    .filter(([, inner]) => "commands" in inner || !inner.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const inner = await Promise.all(shown.map(([word, below]) => pagesBelow([...words, word], below, manual)));
  const list = await Promise.all(
    shown.map(async ([word, below]) => {
      const summary = "commands" in below ? below.summary : (await below.load()).command.summary;
      return `.TP\n.BR ${pageName([...words, word])} (1)\n${line(summary)}`;
    }),
  );
  const flags = words.length === 0 ? manual.globals : ((await entry.flags?.()) ?? {});
  const synopsis = Object.keys(flags).length > 0 ? "[OPTIONS] COMMAND" : "COMMAND";
  const sections = [
    `.SH SYNOPSIS\n.B ${["havre", ...words].join(" ")}\n${line(synopsis)}`,
    `.SH DESCRIPTION\n${line(`${entry.summary}.`)}`,
    ...options(flags),
    `.SH COMMANDS\n${list.join("\n")}`,
    ...(words.length === 0 ? [SURROUNDINGS] : []),
  ];
  return [page(words, entry.summary, sections, manual), ...inner.flat()];
}

const SURROUNDINGS = `.SH ENVIRONMENT
.TP
.B HAVRE_HOST
Daemon to talk to
.TP
.BR HAVRE_ROOT ", " HAVRE_RUN
Folders of the daemon's data and socket
.TP
.B DOCKER_HOST
For Docker's own clients: unix:///run/havre/havre.sock
.SH FILES
.TP
.I /run/havre/havre.sock
Where the daemon listens
.TP
.I /var/lib/havre
Containers, images, volumes`;

function commandSections(words: readonly string[], command: Command): string[] {
  const detail = command.detail === undefined ? [] : [".PP", paragraphs(command.detail)];
  const examples = command.examples.map(
    ([typed, why]) => `${line(why)}\n.PP\n.RS 4\n.nf\n${line(`havre ${typed}`)}\n.fi\n.RE`,
  );
  return [
    `.SH SYNOPSIS\n.B ${["havre", ...words].join(" ")}\n${line(command.usage)}`.trimEnd(),
    [`.SH DESCRIPTION\n${line(`${command.summary}.`)}`, ...detail].join("\n"),
    ...options(command.flags),
    ...(examples.length > 0 ? [`.SH EXAMPLES\n${examples.join("\n.PP\n")}`] : []),
  ];
}

function options(flags: Flags): string[] {
  const shown = Object.entries(flags)
    .filter(([, flag]) => !flag.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (shown.length === 0) return [];
  const rows = shown.map(([name, flag]) => {
    const names = `${flag.short ? `\\fB\\-${roff(flag.short)}\\fR, ` : ""}\\fB\\-\\-${roff(name)}\\fR`;
    const value = flag.type === "" ? "" : ` \\fI${roff(flag.type)}\\fR`;
    const initial = flag.defaultText === undefined ? "" : ` (default ${flag.defaultText})`;
    return `.TP\n${names}${value}\n${paragraphs(flag.help + initial)}`;
  });
  return [`.SH OPTIONS\n${rows.join("\n")}`];
}

function page(words: readonly string[], summary: string, sections: readonly string[], manual: Manual): ManualPage {
  const name = pageName(words);
  const { date, version } = manual;
  const above = words.length === 0 ? [] : [`.SH SEE ALSO\n.BR ${pageName(words.slice(0, -1))} (1)`];
  const head = [
    `.TH "${name.toUpperCase().replaceAll("-", "\\-")}" 1 "${date}" "Havre ${version}" "Havre"`,
    // A name that stands before " \- " is what whatis(1) finds.
    `.SH NAME\n${name.replaceAll("-", "\\-")} \\- ${roff(summary)}`,
  ];
  return { name: `${name}.1`, text: `${[...head, ...sections, ...above].join("\n")}\n` };
}

function pageName(words: readonly string[]): string {
  return ["havre", ...words].join("-");
}

/** Texts of several lines keep them. */
function paragraphs(text: string): string {
  return text
    .split("\n")
    .map((part) => (part.trim() === "" ? ".sp" : line(part)))
    .join("\n.br\n");
}

/** One line of text, which roff is not to take for a request. */
function line(text: string): string {
  const escaped = roff(text);
  return /^\s*[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** Roff's own escapes; what is not ASCII by its code point, so that no program needs to guess the encoding. */
function roff(text: string): string {
  const plain = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq").replaceAll("`", "\\(ga");
  return plain.replace(
    /[^\n -~]/gu,
    (sign) => `\\[u${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}
