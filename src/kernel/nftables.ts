import { isHavreError } from "../base/mod.ts";
import { runProgram } from "./program.ts";

/** Firewall rules, through the programs that own their formats. One process per call: for the daemon's start and end only. */

/** Applies a ruleset (nft(8)) as one transaction: all of it or nothing. `unavailable` when nft is not installed. */
export async function applyNftables(ruleset: string): Promise<void> {
  await runProgram("nft", ["-f", "-"], ruleset);
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
  const text = await unlessMissing(runProgram("nft", ["-j", "list", "chains"], ""));
  if (text === undefined) return undefined;
  const { nftables } = JSON.parse(text) as { nftables: { chain?: ForwardChain & { hook?: string } }[] };
  return nftables.flatMap(({ chain }) => (chain?.hook === "forward" ? [chain] : []));
}

/** All tables, as libnftables-json(5) has them; undefined when there is no nft here. */
export async function listNftables(): Promise<unknown> {
  const text = await unlessMissing(runProgram("nft", ["-j", "list", "ruleset"], ""));
  return text === undefined ? undefined : JSON.parse(text);
}

/** A table as libnftables-json(5) has it; undefined when there is none, or no nft here. */
export async function listNftablesTable(family: string, table: string): Promise<unknown> {
  try {
    return JSON.parse(await runProgram("nft", ["-j", "list", "table", family, table], ""));
  } catch (error) {
    if (isHavreError(error, "unavailable") || /No such file or directory/.test(String(error))) return undefined;
    throw error;
  }
}

/**
 * Whether the kernel can send copies of packets elsewhere (nft_dup_ipv4, nft_dup_ipv6), loading what it needs; nothing is changed.
 * undefined when there is no nft here.
 */
export async function duplicatesPackets(): Promise<boolean | undefined> {
  const rules = (["ip", "ip6"] as const).map(
    (family) =>
      `table ${family} havre-probe { chain probe { dup to ${family === "ip" ? "127.0.0.1" : "::1"} device "lo"; }; }`,
  );
  try {
    const answer = await unlessMissing(runProgram("nft", ["--check", "-f", "-"], `${rules.join("\n")}\n`));
    return answer === undefined ? undefined : true;
  } catch (error) {
    if (!isHavreError(error, "internal") || process.getuid?.() !== 0) throw error;
    return false;
  }
}

/** The rules of the filter table as iptables-save lines without counters; undefined when there is no iptables here. */
export async function listIptablesFilter(family: 4 | 6 = 4): Promise<readonly string[] | undefined> {
  const text = await unlessMissing(runProgram(family === 4 ? "iptables" : "ip6tables", ["-w", "5", "-S"], ""));
  return text?.split("\n").filter((line) => line !== "");
}

/** Applies lines in iptables-restore(8) form to the filter table in one transaction; what they do not name stays. */
export async function changeIptablesFilter(lines: readonly string[], family: 4 | 6 = 4): Promise<void> {
  await runProgram(
    family === 4 ? "iptables-restore" : "ip6tables-restore",
    ["-w", "5", "--noflush"],
    `*filter\n${lines.join("\n")}\nCOMMIT\n`,
  );
}

async function unlessMissing(output: Promise<string>): Promise<string | undefined> {
  try {
    return await output;
  } catch (error) {
    if (isHavreError(error, "unavailable")) return undefined;
    throw error;
  }
}
