import { homedir } from "node:os";
import { join } from "node:path";
import { HavreError } from "../../../../base/mod.ts";
import { type LoadOptions, RemoteFileNeeded } from "../../../../compose/mod.ts";
import type { Context } from "../../../context.ts";

/** Files of files of files elsewhere: a project that wants more is fetched by somebody's malice. */
const MOST_FILES = 100;

/** Reads a project; whatever it names in repositories and registries is fetched first. Warnings are given once. */
export async function withRemoteFiles<T>(
  context: Context,
  options: LoadOptions,
  read: (options: LoadOptions) => T,
): Promise<T> {
  const remoteFiles = new Map<string, string>();
  let input: string | undefined;
  const stdin = () => {
    input ??= options.stdin();
    return input;
  };
  for (;;) {
    const warnings: string[] = [];
    let missing: string;
    try {
      return read({ ...options, stdin, remoteFiles, warn: (message) => warnings.push(message) });
    } catch (error) {
      if (!(error instanceof RemoteFileNeeded)) throw error;
      missing = error.address;
      warnings.length = 0;
    } finally {
      for (const message of warnings) options.warn(message);
    }
    if (remoteFiles.size === MOST_FILES)
      throw new HavreError("invalid-argument", `The project names more than ${MOST_FILES} files elsewhere`);
    remoteFiles.set(missing, await copyOf(context, missing));
  }
}

/** The path of a file's copy on this machine, fetched when it is not there. */
async function copyOf(context: Context, address: string): Promise<string> {
  const { env, err } = context;
  const cache = join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "havre/compose");
  const onFetch = () => err.line(`Fetching ${address}`);
  if (/^oci:/i.test(address))
    return await (await import("./oci-file.ts")).fetchOciFile({ address, cache, env, onFetch });
  return await (await import("./git-file.ts")).fetchGitFile({ address, cache, env, onFetch });
}
