import { HavreError } from "../../base/mod.ts";
import { trimStart } from "./source.ts";
import type { Heredoc } from "./tree.ts";
import { expandWord, type Variables } from "./words.ts";

const OPENING = /^\d*<<(-?)/;
const SPACED_NAME = /^["']?[\p{L}_]/u;
const NOTHING: Variables = { get: () => undefined };
/** More on one line is no Dockerfile. */
const MOST = 1000;

/** `<<NAME`, `<<-NAME`, `<<"NAME"` as a here-document without content yet; undefined for any other word. */
export function parseHeredocWord(word: string): Omit<Heredoc, "content"> | undefined {
  const [opening, dash] = OPENING.exec(word) ?? [];
  if (opening === undefined) return undefined;
  const rest = trimStart(word.slice(opening.length));
  if (rest === "" || rest.includes("<")) return undefined;
  // With a blank before it, `2))` of `$((1 << 2))` must not be taken for a name.
  if (rest !== word.slice(opening.length) && !SPACED_NAME.test(rest)) return undefined;
  const { words } = expandWord(rest, NOTHING, { escape: "\\", keepUnset: true });
  const [name] = words;
  if (name === undefined || words.length !== 1) return undefined;
  const raw = expandWord(rest, NOTHING, { escape: "\\", keepUnset: true, rawQuotes: true }).words[0] ?? "";
  return { name, expand: quotes(name) === quotes(raw), chomp: dash === "-" };
}

/** As `parseHeredocWord`, but what cannot be read is none. */
export function asHeredoc(word: string): Omit<Heredoc, "content"> | undefined {
  try {
    return parseHeredocWord(word);
  } catch {
    return undefined;
  }
}

/** The here-documents that a joined line opens, in order. `invalid-argument` when a name is not closed. */
export function heredocsOf(line: string): readonly Omit<Heredoc, "content">[] {
  if (!line.includes("<<")) return [];
  const found = wordsOf(line)
    .map(parseHeredocWord)
    .filter((heredoc) => heredoc !== undefined);
  if (found.length > MOST)
    throw new HavreError("invalid-argument", `more than ${MOST} here-documents in one instruction`);
  return found;
}

/** Content without the tabs that begin its lines: what `<<-` means. */
export function chomped({ chomp, content }: Heredoc): string {
  return chomp ? content.replace(/^\t+/gm, "") : content;
}

function wordsOf(line: string): readonly string[] {
  try {
    const options = { escape: "\\", rawQuotes: true, rawEscapes: true, keepUnset: true, limit: line.length * 2 };
    return expandWord(line, NOTHING, options).words;
  } catch {
    // A quote of the shell's that stays open: no word of this line is a here-document.
    return [];
  }
}

function quotes(text: string): number {
  return text.split(/['"]/).length - 1;
}
