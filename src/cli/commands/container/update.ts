import { HavreError, isHavreError } from "../../../base/mod.ts";
import { integer, list, text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { bytesFlag, checkLabel, cpusFlag } from "./options/checks.ts";
import { cut } from "./options/csv.ts";
import { parseRestartPolicy } from "./options/request.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Update configuration of one or more containers",
  detail: "The container keeps its identity, its processes and its files.",
  examples: [
    ["update -m 1g --memory-swap 1g web", "Other limits, at once"],
    ["update --restart unless-stopped web db", "Another restart policy"],
  ],
  flags: {
    "blkio-weight": integer("Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)", {
      type: "uint16",
    }),
    "cpu-period": integer("Limit CPU CFS (Completely Fair Scheduler) period"),
    "cpu-quota": integer("Limit CPU CFS (Completely Fair Scheduler) quota"),
    "cpu-rt-period": integer("Limit the CPU real-time period in microseconds"),
    "cpu-rt-runtime": integer("Limit the CPU real-time runtime in microseconds"),
    "cpu-shares": integer("CPU shares (relative weight)", { short: "c" }),
    cpus: cpusFlag("Number of CPUs"),
    "cpuset-cpus": text("CPUs in which to allow execution (0-3, 0,1)"),
    "cpuset-mems": text("MEMs in which to allow execution (0-3, 0,1)"),
    "kernel-memory": bytesFlag("Kernel memory limit", { hidden: true }),
    label: list("Set meta data (replaces the labels)", { short: "l", check: checkLabel }),
    memory: bytesFlag("Memory limit", { short: "m" }),
    "memory-reservation": bytesFlag("Memory soft limit"),
    "memory-swap": bytesFlag("Swap limit equal to memory plus swap: -1 to enable unlimited swap", {}, true),
    "pids-limit": integer("Tune container pids limit (set -1 for unlimited)"),
    restart: text("Restart policy to apply when a container exits"),
  },
  min: 1,
  async run({ context, flags, changed, args }) {
    if (changed.size === 0)
      throw new HavreError("invalid-argument", "you must provide one or more flags when using this command");
    const labels = flags.label.map((label) => cut(label, "="));
    const json = {
      BlkioWeight: flags["blkio-weight"],
      CpuPeriod: flags["cpu-period"],
      CpuQuota: flags["cpu-quota"],
      CpuRealtimePeriod: flags["cpu-rt-period"],
      CpuRealtimeRuntime: flags["cpu-rt-runtime"],
      CpuShares: flags["cpu-shares"],
      NanoCpus: flags.cpus,
      CpusetCpus: flags["cpuset-cpus"],
      CpusetMems: flags["cpuset-mems"],
      Memory: flags.memory,
      MemoryReservation: flags["memory-reservation"],
      MemorySwap: flags["memory-swap"],
      ...(flags["pids-limit"] === 0 ? {} : { PidsLimit: flags["pids-limit"] }),
      ...(flags.restart === "" ? {} : { RestartPolicy: parseRestartPolicy(flags.restart) }),
      ...(labels.length === 0 ? {} : { Labels: Object.fromEntries(labels.map(([name, value = ""]) => [name, value])) }),
    };
    const client = await context.client();
    const warnings: string[] = [];
    let code = 0;
    for (const name of args) {
      try {
        const answer = await client.json<{ Warnings: string[] | null }>("POST", `/containers/${name}/update`, { json });
        context.out.line(name);
        warnings.push(...(answer.Warnings ?? []));
      } catch (error) {
        if (!isHavreError(error)) throw error;
        context.err.line(error.message);
        code = 1;
      }
    }
    for (const warning of warnings) context.out.line(warning);
    return code;
  },
});
