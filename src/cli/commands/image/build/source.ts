import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseBoolean } from "../../../args/flags.ts";

const run = promisify(execFile);

/** Where a context is from: remote and commit of the git repository it is in, `-dirty` where it was changed since. Nothing where there is none. */
export async function sourceOf(folder: string): Promise<{ readonly remote?: string; readonly commit?: string }> {
  const git = async (...args: readonly string[]) => {
    try {
      // What the repository says must not run anything here.
      const { stdout } = await run("git", ["-c", "core.fsmonitor=false", "-C", folder, ...args], { timeout: 5000 });
      return stdout.trim();
    } catch {
      return undefined;
    }
  };
  const commit = await git("rev-parse", "--verify", "HEAD");
  if (!commit) return {};
  const [remote, changes] = await Promise.all([
    git("config", "--get", "remote.origin.url"),
    git("status", "--porcelain", "--untracked-files=no"),
  ]);
  return { commit: changes ? `${commit}-dirty` : commit, ...(remote ? { remote: withoutPassword(remote) } : {}) };
}

function withoutPassword(remote: string): string {
  return remote.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

/** `mode=max`, `max`, `true`: docker's ways of saying it, too. */
export function readProvenance(text: string): string {
  const mode = text.replace(/^mode=/, "");
  if (mode === "" || mode === "min" || mode === "max") return mode;
  return parseBoolean(mode) ? "min" : "";
}

export function readSbom(text: string): readonly string[] {
  const words = text.split(",").filter((word) => word !== "");
  const [first] = words;
  if (words.length !== 1 || first === "spdx" || first === "cyclonedx" || first === undefined) return words;
  return parseBoolean(first) ? ["spdx", "cyclonedx"] : [];
}
