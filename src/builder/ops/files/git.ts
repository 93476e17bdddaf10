import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, HavreError } from "../../../base/mod.ts";
import type { GitOp } from "../../graph/ops.ts";
import type { OpContext } from "../context.ts";
import { FolderSource } from "./folder-source.ts";

/** Nothing of the user's or the repository's own settings runs here, and nobody is asked. */
const SETTINGS = ["core.hooksPath=/dev/null", "protocol.ext.allow=never", "protocol.file.allow=never", "gc.auto=0"];
const COMMIT = /^[0-9a-f]{7,64}$/;

export interface Checkout extends Disposable {
  readonly files: FolderSource;
  readonly commit: string;
}

/**
 * A commit of a git repository as files, by the `git` program. What it is in goes with the disposal. `not-found` for a
 * branch, tag or folder that is not there; `data-loss` when it is not the commit that `checksum` says.
 */
export async function checkOut(
  context: Pick<OpContext, "root" | "newId">,
  op: GitOp,
  signal: AbortSignal,
): Promise<Checkout> {
  const folder = join(context.root, "contexts", context.newId());
  mkdirSync(folder, { mode: 0o700 });
  const git = (...args: readonly string[]) => runGit(folder, args, signal);
  try {
    await git("init", "--quiet");
    await git("remote", "add", "origin", op.remote);
    const ref = op.ref ?? "HEAD";
    try {
      await git("fetch", "--quiet", "--depth", "1", "origin", ref);
    } catch {
      await fetchWhole(git, op, ref);
    }
    const commit = (await git("rev-parse", "FETCH_HEAD^{commit}")).trim();
    if (op.checksum !== undefined && !commit.startsWith(op.checksum)) {
      throw new HavreError("data-loss", `expected checksum to match ${op.checksum}, got ${commit}`);
    }
    await git("checkout", "--quiet", "--detach", commit);
    await git("submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1");
    if (!op.keepGitDir) rmSync(join(folder, ".git"), { recursive: true, force: true });
    const files = new FolderSource(op.folder === undefined ? folder : insideOf(folder, op.folder));
    return {
      files,
      commit,
      [Symbol.dispose]: () => {
        files[Symbol.dispose]();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** For servers that are plain files, and those that give only what a branch or tag names. */
async function fetchWhole(git: (...args: readonly string[]) => Promise<string>, op: GitOp, ref: string): Promise<void> {
  try {
    if (!COMMIT.test(ref)) {
      await git("fetch", "--quiet", "origin", ref);
      return;
    }
    await git("fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*");
    await git("update-ref", "FETCH_HEAD", `${ref}^{commit}`);
  } catch (error) {
    throw missing(op, error);
  }
}

function missing({ remote, ref }: GitOp, cause: unknown): HavreError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HavreError("not-found", `failed to fetch ${ref ?? "HEAD"} of ${remote}: ${why}`, { cause });
}

/** A folder of the checkout; one that a link leads out of it to is not there. */
function insideOf(folder: string, path: string): string {
  using whole = new FolderSource(folder);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (!parts.includes("..") && whole.stat(parts.join("/"))?.type === "directory") return join(folder, ...parts);
  throw new HavreError("not-found", `subdir ${path} is not in the repository`);
}

function runGit(folder: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const settings = SETTINGS.flatMap((setting) => ["-c", setting]);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn("git", [...settings, "-C", folder, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    env: {
      PATH: process.env.PATH,
      GIT_TERMINAL_PROMPT: "0",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      HOME: folder,
    },
  });
  let [output, complaint] = ["", ""];
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => {
    if (complaint.length < 4096) complaint += data.toString();
  });
  child.once("error", (cause) => {
    if (errnoOf(cause) !== "ENOENT") return reject(cause);
    reject(new HavreError("failed-precondition", "The program git is not installed", { cause, hint: "Install git" }));
  });
  child.once("close", (code) => {
    if (code === 0) resolve(output);
    else reject(new HavreError("unavailable", `git ${args[0]}: ${complaint.trim() || `exit code ${code}`}`));
  });
  return promise;
}
