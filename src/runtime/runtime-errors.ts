import { type ErrorKind, HavreError } from "../base/mod.ts";
import { RuntimeRefusal } from "./supervisor.ts";

interface Failure {
  /** `create`, `exec`, `start` …: the runtime's subcommand. */
  readonly operation: string;
  /** Everything the runtime printed. */
  readonly output: string;
  /** The command that was to run, where there is one. */
  readonly command?: string;
  readonly cause?: unknown;
}

interface Translation {
  readonly pattern: RegExp;
  /** The command with which it means this; undefined: any. */
  readonly onlyFor?: string;
  readonly kind: ErrorKind;
  readonly text: (command: string, match: RegExpExecArray) => string;
  readonly hint?: string;
}

/** What crun, runc and others say of a process that cannot start, and how Docker's users know it. */
const TRANSLATIONS: readonly Translation[] = [
  { pattern: /exec: "[^"]*": (?:executable file not found|stat ).*/, kind: "not-found", text: (_, [text]) => text },
  {
    pattern: /executable file `[^`]*` not found/,
    kind: "not-found",
    text: (command) =>
      command.includes("/")
        ? `exec: "${command}": stat ${command}: no such file or directory`
        : `exec: "${command}": executable file not found in $PATH`,
  },
  {
    pattern: /exec: "[^"]*": (?:permission denied|is a directory)/,
    kind: "permission-denied",
    text: (_, [text]) => text,
  },
  // crun opens the root folder in place of a command without a name.
  {
    pattern: /open executable: .*/,
    onlyFor: "",
    kind: "not-found",
    text: () => 'exec: "": executable file not found in $PATH',
  },
  {
    pattern: /open executable: (?:Permission denied|Operation not permitted|Is a directory)/,
    kind: "permission-denied",
    text: (command) => `exec: "${command}": permission denied`,
  },
  {
    pattern: /chdir `([^`]*)`: (.*)/,
    kind: "failed-precondition",
    text: (_, [, folder, reason]) => `chdir to cwd ("${folder}") set in config.json failed: ${reason?.toLowerCase()}`,
  },
  {
    pattern: /write file `[^`]*\/attr\/[^`]*exec`: (.*)|unable to apply apparmor profile: .*: (.*)/,
    kind: "failed-precondition",
    text: (_, [, crun, runc]) =>
      `unable to apply apparmor profile: apparmor failed to apply profile: ${(crun ?? runc)?.toLowerCase()}`,
    hint: "Load the profile with apparmor_parser -r FILE, or leave the option out",
  },
];

/** Docker's own lead-ins, which its users' scripts look for. */
const LEAD: Readonly<Record<string, string>> = {
  create:
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ",
  exec: "OCI runtime exec failed: exec failed: unable to start container process: ",
};

/** A runtime's refusal as an error in Docker's words; the kind says whether the command was missing or not executable. */
export function runtimeError({ operation, output, command = "", cause }: Failure): HavreError {
  const text = essence(output);
  const detail = cause === undefined ? {} : { cause };
  for (const { pattern, onlyFor = command, kind, text: translate, hint } of TRANSLATIONS) {
    const match = pattern.exec(text);
    if (!match || onlyFor !== command) continue;
    const told = hint === undefined ? detail : { ...detail, hint };
    return new HavreError(kind, `${LEAD[operation] ?? ""}${translate(command, match)}: unknown`, told);
  }
  const lead = operation === "create" ? "failed to create task for container: failed to create shim task: " : "";
  return new HavreError("failed-precondition", `${lead}OCI runtime ${operation} failed: ${text}: unknown`, detail);
}

/** Whether a failed creation is the runtime's own: it refused what is no mistake of the container's. */
export function isInability(error: unknown): error is HavreError {
  if (!(error instanceof HavreError && error.cause instanceof RuntimeRefusal)) return false;
  const { message } = error.cause;
  return !TRANSLATIONS.some(({ pattern }) => pattern.test(essence(message)));
}

/** The last line of what a runtime printed, without time stamps and log dressing. */
function essence(output: string): string {
  const last = output.trimEnd().split("\n").at(-1)?.trim() || "the runtime gave no reason";
  const json = /"msg":"((?:[^"\\]|\\.)*)"/.exec(last)?.[1] ?? /msg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1];
  return (json?.replace(/\\(.)/g, "$1") ?? last).replace(/^\d{4}-\d\d-\d\dT\S+Z:? /, "").replace(/^error: /, "");
}
