import { type ErrorKind, HavreError } from "../base/mod.ts";

/** How a runtime's message reads to Docker's users, and its kind. */
interface Translation {
  readonly pattern: RegExp;
  readonly kind: ErrorKind;
  readonly text: (match: RegExpExecArray) => string;
}

const TRANSLATIONS: readonly Translation[] = [
  {
    // crun
    pattern: /executable file `([^`]*)` not found in \$PATH/i,
    kind: "not-found",
    text: ([, name]) => `exec: ${JSON.stringify(name)}: executable file not found in $PATH`,
  },
  {
    pattern: /(exec: "[^"]*": executable file not found in \$PATH)/,
    kind: "not-found",
    text: ([, text]) => text ?? "",
  },
  {
    pattern: /(exec: "[^"]*": stat [^:]*: no such file or directory)/,
    kind: "not-found",
    text: ([, text]) => text ?? "",
  },
  {
    pattern: /open executable: (?:`([^`]*)`: )?No such file or directory/i,
    kind: "not-found",
    text: ([, name]) => `exec: ${JSON.stringify(name ?? "")}: no such file or directory`,
  },
  {
    pattern: /(?:exec|open executable|the path)[^\n]*(?:Permission denied|is not executable|Is a directory)/i,
    kind: "permission-denied",
    text: ([text]) => (/permission denied/i.test(text) ? text : `${text}: permission denied`),
  },
  {
    pattern: /permission denied/i,
    kind: "permission-denied",
    text: ({ input }) => input,
  },
];

/** The last line that matters of what a runtime printed, without its prefixes. */
function essence(message: string): string {
  const lines = message
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const last = lines.at(-1) ?? "no message";
  const quoted = /msg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1];
  return (quoted?.replace(/\\(.)/g, "$1") ?? last).replace(/^\S+Z:? /, "").replace(/^error: /, "");
}

/** A runtime's refusal in Docker's words: `OCI runtime create failed: …: unknown`. */
export function runtimeError(operation: string, message: string, cause?: unknown): HavreError {
  const text = essence(message);
  for (const { pattern, kind, text: translate } of TRANSLATIONS) {
    const match = pattern.exec(text);
    if (match) return new HavreError(kind, `OCI runtime ${operation} failed: ${translate(match)}: unknown`, { cause });
  }
  return new HavreError("failed-precondition", `OCI runtime ${operation} failed: ${text}: unknown`, { cause });
}
