import { HavreError } from "../../../base/mod.ts";
import { type Flag, type Flags, list, text, toggle, value } from "../../args/flags.ts";

/**
 * Which project is meant. Every Compose command has them; `havre compose` takes them before the command's name too.
 * Where `-f` means something else to a command, only the long name is taken after it.
 */
export const projectFlags = {
  file: list("Compose configuration files", { short: "f" }),
  "project-name": text("Project name", { short: "p" }),
  "project-directory": text("Folder that paths in the files are meant from (default: that of the first file)"),
  "env-file": list("Environment files instead of .env"),
  profile: list("Profiles to enable"),
  // Accepted for scripts written for docker compose.
  ansi: text("Control when to print ANSI control characters", { hidden: true }),
  progress: text("Type of progress output: auto, tty, plain, quiet", { initial: "auto", defaultText: '"auto"' }),
  parallel: value("int", "Most things done at once (default 16)", 0, parsePositive, { hidden: true }),
  compatibility: toggle("Accepted, and of no effect", { hidden: true }),
  "dry-run": toggle("Print what would be done, and do nothing"),
} as const satisfies Flags;

/** The same without short names, for commands that have their own. */
export const longProjectFlags = {
  ...projectFlags,
  file: list("Compose configuration files"),
  "project-name": text("Project name"),
} as const satisfies Flags;

export interface ProjectFlags {
  readonly file: readonly string[];
  readonly "project-name": string;
  readonly "project-directory": string;
  readonly "env-file": readonly string[];
  readonly profile: readonly string[];
  readonly progress: string;
  readonly parallel: number;
  readonly "dry-run": boolean;
}

function parsePositive(word: string): number {
  if (!/^-?\d+$/.test(word)) throw new HavreError("invalid-argument", "not a number");
  return Number(word);
}

/** `-t`: seconds a container has to end; undefined: its own. */
export const timeoutFlag: Flag<number | undefined> = value<number | undefined>(
  "int",
  "Specify a shutdown timeout in seconds",
  undefined,
  (word) => parsePositive(word),
  { short: "t" },
);
