import { execFile } from "node:child_process";
import { HavreError, isHavreError } from "../base/mod.ts";

/** Firewall rules, through the programs that own their formats. One process per call: for the daemon's start and end only. */

/** Applies a ruleset (nft(8)) as one transaction: all of it or nothing. `unavailable` when nft is not installed. */
export async function applyNftables(ruleset: string): Promise<void> {
  await run("nft", ["-f", "-"], ruleset);
}

/** A chain of nftables that judges packets the host forwards. */
export interface ForwardChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly policy: string;
}

/** All chains hooked to forwarding, whoever made them; undefined when there is no nft here. */
export async function listForwardChains(): Promise<readonly ForwardChain[] | undefined> {
  const text = await unlessMissing(run("nft", ["-j", "list", "chains"], ""));
  if (text === undefined) return undefined;
  const { nftables } = JSON.parse(text) as { nftables: { chain?: ForwardChain & { hook?: string } }[] };
  return nftables.flatMap(({ chain }) => (chain?.hook === "forward" ? [chain] : []));
}

/** The rules of the filter table as iptables-save lines without counters; undefined when there is no iptables here. */
export async function listIptablesFilter(): Promise<readonly string[] | undefined> {
  const text = await unlessMissing(run("iptables", ["-w", "5", "-S"], ""));
  return text?.split("\n").filter((line) => line !== "");
}

/** Applies lines in iptables-restore(8) form to the filter table in one transaction; what they do not name stays. */
export async function changeIptablesFilter(lines: readonly string[]): Promise<void> {
  await run("iptables-restore", ["-w", "5", "--noflush"], `*filter\n${lines.join("\n")}\nCOMMIT\n`);
}

async function unlessMissing(output: Promise<string>): Promise<string | undefined> {
  try {
    return await output;
  } catch (error) {
    if (isHavreError(error, "unavailable")) return undefined;
    throw error;
  }
}

function run(command: string, args: readonly string[], input: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const path = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  const env = { ...process.env, PATH: path };
  const child = execFile(command, [...args], { env, timeout: 20_000 }, (error, stdout, stderr) => {
    if (!error) return resolve(stdout);
    if ("code" in error && error.code === "ENOENT") {
      const hint = `Install the package that has ${command} (Debian: ${command === "nft" ? "nftables" : "iptables"})`;
      return reject(new HavreError("unavailable", `${command} is not installed`, { cause: error, hint }));
    }
    const said = stderr.trim() || error.message;
    reject(new HavreError("internal", `${command} ${args.join(" ")} failed: ${said}`, { cause: error }));
  });
  // A program that ends before it read everything reports through its exit, not through this pipe.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return promise;
}
