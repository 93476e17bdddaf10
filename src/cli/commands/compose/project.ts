import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { HavreError, isHavreError } from "../../../base/mod.ts";
import { findFiles, type LoadOptions, loadProject, locate, type Project, projectName } from "../../../compose/mod.ts";
import type { Context } from "../../context.ts";
import type { ProjectFlags } from "./flags.ts";
import { withRemoteFiles } from "./remote/files.ts";

/** What the files of a command line's project say; warnings go to standard error. */
export async function projectOf(
  context: Context,
  flags: ProjectFlags,
  more: Partial<LoadOptions> = {},
): Promise<Project> {
  return withRemoteFiles(context, { ...loadOptions(context, flags), ...more }, load);
}

/** Docker compose's exit codes for files that are missing, and for those that say something wrong. */
const EXIT_NO_FILE = 14;
const EXIT_WRONG_FILE = 15;

function load(options: LoadOptions): Project {
  try {
    return loadProject(options);
  } catch (error) {
    if (!isHavreError(error)) throw error;
    const { kind, message, hint } = error;
    const exitStatus = error.exitStatus ?? (kind === "not-found" ? EXIT_NO_FILE : EXIT_WRONG_FILE);
    throw new HavreError(kind, message, { cause: error, exitStatus, ...(hint === undefined ? {} : { hint }) });
  }
}

export function loadOptions({ env, err }: Pick<Context, "env" | "err">, flags: ProjectFlags): LoadOptions {
  return {
    files: flags.file,
    projectDirectory: flags["project-directory"],
    projectName: flags["project-name"],
    envFiles: flags["env-file"],
    profiles: flags.profile,
    workingFolder: process.cwd(),
    env,
    stdin: () => readFileSync(0, "utf8"),
    warn: (message) => err.line(`WARN ${message}`),
  };
}

/** Whether this folder, or one above, has a Compose file. */
export function hasProject(): boolean {
  return process.env.COMPOSE_FILE !== undefined || findFiles(process.cwd(), () => {}).length > 0;
}

/** A project as far as it is known: by its files, or by its name alone when there are none. */
export interface KnownProject {
  readonly name: string;
  readonly project: Project | undefined;
}

/**
 * For commands that work with what is there: the files are read when there are some; with a name (`-p`) and no file in
 * sight the containers' labels must do.
 */
export function knownProject(context: Context, flags: ProjectFlags): Promise<KnownProject> {
  return withRemoteFiles(context, loadOptions(context, flags), (options) => known(options, flags));
}

function known(options: LoadOptions, flags: ProjectFlags): KnownProject {
  const located = locate(options);
  if (located.files.length === 0 && (flags["project-name"] !== "" || located.environment.get("COMPOSE_PROJECT_NAME")))
    return { name: projectName(options, located, []), project: undefined };
  try {
    const project = load(options);
    return { name: project.name, project };
  } catch (error) {
    // A project named explicitly can be stopped even when its files are broken or meant for another.
    if (flags["project-name"] === "" || !isHavreError(error, "not-found")) throw error;
    return { name: flags["project-name"], project: undefined };
  }
}

/** Where configs and secrets that are no files are written: only a daemon on this machine can bind them. */
export function filesFolder({ places }: Context): string | undefined {
  if (places.host !== undefined && !/^(?:unix:\/\/)?\//.test(places.host)) return undefined;
  return resolve(places.run, "compose");
}

/**
 * `havre up examples/shop`: a folder or a file in place of `-f`. What is left are names of services. A word is a place
 * when it looks like one: with a slash, `.` or `..`, or ending in `.yaml` or `.yml`.
 */
export function placeInWords(
  words: readonly string[],
  flags: ProjectFlags,
): { flags: ProjectFlags; services: readonly string[] } {
  const [first, ...rest] = words;
  if (first === undefined || flags.file.length > 0 || !isPlace(first)) return { flags, services: words };
  const path = isAbsolute(first) ? first : resolve(process.cwd(), first);
  if (!existsSync(path))
    throw new HavreError("not-found", `${first}: no such file or folder`, {
      hint: "Name a folder with a compose.yaml, or a Compose file",
    });
  if (/\.ya?ml$/.test(first)) return { flags: { ...flags, file: [path] }, services: rest };
  return { flags: { ...flags, "project-directory": path }, services: rest };
}

const isPlace = (word: string): boolean => /\/|^\.{1,2}$|\.ya?ml$/.test(word);
