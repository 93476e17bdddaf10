import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { HavreError } from "../../../../base/mod.ts";
import { filesIn } from "../../../../compose/mod.ts";

export interface Wanted {
  readonly address: string;
  /** Where copies are kept; what is there once is not fetched again. */
  readonly cache: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onFetch: () => void;
}

export interface GitAddress {
  readonly remote: string;
  /** A branch, a tag or a commit. */
  readonly ref: string;
  /** A file or a folder in it. */
  readonly path: string;
}

/** `REPOSITORY#REF:PATH`, each of the last two or both left out. */
export function parseGitAddress(address: string): GitAddress {
  const [, repository = "", fragment = ""] = /^([^#]*)(?:#(.*))?$/s.exec(address) ?? [];
  const [, ref = "", path = ""] = /^([^:]*):?(.*)$/s.exec(fragment) ?? [];
  return { remote: repository.replace(/^(?=github\.com\/)/i, "https://"), ref: ref || "HEAD", path };
}

/**
 * Path of a Compose file in a repository's commit, which is checked out once. Errors: `not-found` for a reference or a
 * file that is not there, `unavailable` for what git says, `failed-precondition` without git.
 */
export async function fetchGitFile({ address, cache, env, onFetch }: Wanted): Promise<string> {
  const { remote, ref, path } = parseGitAddress(address);
  const commit = /^[0-9a-f]{40}$/.test(ref) ? ref : await commitOf(remote, ref, env);
  const folder = join(cache, commit);
  if (!existsSync(folder)) {
    onFetch();
    mkdirSync(cache, { recursive: true });
    const beside = mkdtempSync(join(cache, "new-"));
    try {
      await git(["init", "--quiet", beside], remote, env);
      await git(["-C", beside, "fetch", "--quiet", "--depth=1", "--no-tags", "--", remote, commit], remote, env);
      await git(["-C", beside, "checkout", "--quiet", "--detach", "FETCH_HEAD"], remote, env);
      // Another command may have been faster with the same commit: its copy is as good.
      if (!existsSync(folder)) renameSync(beside, folder);
    } finally {
      rmSync(beside, { recursive: true, force: true });
    }
  }
  return fileIn(folder, path, address);
}

function fileIn(folder: string, path: string, address: string): string {
  const named = resolve(folder, path);
  const isFolder = statSync(named, { throwIfNoEntry: false })?.isDirectory();
  const file = isFolder ? filesIn(named, () => {})[0] : named;
  if (file === undefined || !existsSync(file))
    throw new HavreError("not-found", `${address}: no ${isFolder ? "compose.yaml" : "such file"} in the repository`);
  // A repository's links and `..` lead to nothing of this machine.
  if (!realpathSync(file).startsWith(`${realpathSync(folder)}${sep}`))
    throw new HavreError("invalid-argument", `${address}: leads out of the repository`);
  return file;
}

async function commitOf(remote: string, ref: string, env: Wanted["env"]): Promise<string> {
  const found = await git(["ls-remote", "--", remote, ref, `${ref}^{}`], remote, env);
  const commits = new Map(found.split("\n").map((line) => line.split("\t").reverse() as [string, string]));
  // Git answers with everything that ends like it; of an annotated tag what it stands on is meant.
  const names = [ref, `refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`];
  const commit = names.map((name) => commits.get(name)).find((one) => one !== undefined);
  if (commit === undefined) throw new HavreError("not-found", `repository does not contain ref ${ref}: ${remote}`);
  return commit;
}

async function git(args: readonly string[], remote: string, env: Wanted["env"]): Promise<string> {
  // Of a command that runs below git, as a hook does.
  const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, ...rest } = env;
  const settings = {
    ...rest,
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_SSH_COMMAND: env.GIT_SSH_COMMAND ?? "ssh -o BatchMode=yes",
  };
  try {
    return (await promisify(execFile)("git", args, { env: settings })).stdout;
  } catch (error) {
    const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT")
      throw new HavreError("failed-precondition", `git is missing: ${remote} cannot be fetched`, {
        hint: "Install it (Debian: apt-get install git)",
        cause: error,
      });
    const [said = "git failed"] = stderr.split("\n").filter((line) => /^(?:fatal|error|remote):/.test(line));
    throw new HavreError("unavailable", `failed to fetch ${remote}: ${said.replace(/^fatal: /, "")}`, {
      cause: error,
    });
  }
}
