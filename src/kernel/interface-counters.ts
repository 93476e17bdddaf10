import { readFileSync } from "node:fs";
import { errnoOf } from "../base/mod.ts";
import type { InterfaceCounters } from "./cgroup-stats.ts";

/** Counters of the interfaces in the network namespace of `pid`, by name, loopback left out (proc_pid_net(5)). */
export function readInterfaceCounters(pid: number): Readonly<Record<string, InterfaceCounters>> {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/net/dev`, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "EINVAL" || errnoOf(error) === "ESRCH") return {};
    throw error;
  }
  const result: Record<string, InterfaceCounters> = {};
  for (const line of text.split("\n").slice(2)) {
    const at = line.indexOf(":");
    if (at < 0) continue;
    const name = line.slice(0, at).trim();
    if (name === "lo") continue;
    const fields = line
      .slice(at + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const field = (index: number) => fields[index] ?? 0;
    result[name] = {
      rxBytes: field(0),
      rxPackets: field(1),
      rxErrors: field(2),
      rxDropped: field(3),
      txBytes: field(8),
      txPackets: field(9),
      txErrors: field(10),
      txDropped: field(11),
    };
  }
  return result;
}
