import { asBlankSeparated, asJson, asPairs, asQuotedWords, asText, type Rest, takeFlags } from "./arguments.ts";
import type { JoinedLine } from "./joined-line.ts";
import { isSpace, type SourceFile, type Word } from "./source.ts";
import type { Instruction } from "./tree.ts";

type Form = "json-or-text" | "json-or-words" | "quoted-words" | "pairs" | "words" | "text" | "health" | "trigger";

/** Every instruction of the language, and how its arguments are written. */
export const FORMS: Readonly<Record<string, Form>> = {
  ADD: "json-or-words",
  ARG: "quoted-words",
  CMD: "json-or-text",
  COPY: "json-or-words",
  ENTRYPOINT: "json-or-text",
  ENV: "pairs",
  EXPOSE: "words",
  FROM: "words",
  HEALTHCHECK: "health",
  LABEL: "pairs",
  MAINTAINER: "text",
  ONBUILD: "trigger",
  RUN: "json-or-text",
  SHELL: "json-or-text",
  STOPSIGNAL: "text",
  USER: "text",
  VOLUME: "json-or-words",
  WORKDIR: "text",
};

const HEREDOC_INSTRUCTIONS = ["ADD", "COPY", "RUN"];

type Parts = Pick<Instruction, "arguments" | "pairs" | "json"> & { readonly trigger?: Instruction };

/**
 * One joined line as an instruction, without here-documents. An unknown instruction has no arguments: that it is unknown is said later.
 * `invalid-argument` (a `DockerfileError`) for arguments that do not have their instruction's form.
 */
export function parseInstruction(
  file: SourceFile,
  line: JoinedLine,
  escapeSign: string,
  comments: readonly string[],
  from = 0,
): Instruction {
  const text = line.text;
  let [start, end] = [from, text.length];
  while (start < end && isSpace(text[start])) start++;
  while (end > start && isSpace(text[end - 1])) end--;
  let nameEnd = start;
  while (nameEnd < end && !/[\t\v\f\r ]/.test(text[nameEnd] ?? "")) nameEnd++;
  const name = line.word(start, nameEnd);
  const { flags, rest } = takeFlags({ file, line, start: nameEnd, end, escape: escapeSign });
  return {
    file,
    name,
    flags,
    ...parseArguments(name, rest),
    heredocs: [],
    text: text.slice(from),
    range: line.range(start, end),
    comments,
  };
}

/** Whether here-documents may follow the line. */
export function mayHoldHeredocs({ name, trigger, json }: Instruction): boolean {
  if (trigger !== undefined) return mayHoldHeredocs(trigger);
  return HEREDOC_INSTRUCTIONS.includes(name.text.toUpperCase()) && !json;
}

function parseArguments(name: Word, rest: Rest): Parts {
  const keyword = name.text.toUpperCase();
  const words = (list: readonly Word[], json = false): Parts => ({ arguments: list, pairs: [], json });
  const jsonOr = (other: readonly Word[], found = asJson(rest)): Parts => words(found ?? other, found !== undefined);
  switch (Object.hasOwn(FORMS, keyword) ? FORMS[keyword] : undefined) {
    case "json-or-text":
      return jsonOr(asText(rest));
    case "json-or-words":
      return jsonOr(asBlankSeparated(rest));
    case "quoted-words":
      return words(asQuotedWords(rest));
    case "pairs":
      return { arguments: [], pairs: asPairs(rest, keyword), json: false };
    case "words":
      return words(asBlankSeparated(rest));
    case "text":
      return words(asText(rest));
    case "health":
      return parseHealth(rest);
    case "trigger":
      return parseTrigger(rest);
    case undefined:
      return words([]);
  }
}

/** `NONE`, or `CMD` and a command line in either form. */
function parseHealth(rest: Rest): Parts {
  const { line, start, end } = rest;
  const length = line.text.slice(start, end).search(/\s|$/);
  if (length === 0) return { arguments: [], pairs: [], json: false };
  let next = start + length;
  while (next < end && isSpace(line.text[next])) next++;
  const behind = { ...rest, start: next };
  const json = asJson(behind);
  const type = line.word(start, start + length);
  return { arguments: [type, ...(json ?? asText(behind))], pairs: [], json: json !== undefined };
}

function parseTrigger(rest: Rest): Parts {
  const words = asText(rest);
  const nothing: Parts = { arguments: words, pairs: [], json: false };
  // A chain of ONBUILD is refused later: there is no need to follow it down.
  if (words.length === 0 || /^onbuild(\s|$)/i.test(words[0]?.text ?? "")) return nothing;
  return { ...nothing, trigger: parseInstruction(rest.file, rest.line, rest.escape, [], rest.start) };
}
