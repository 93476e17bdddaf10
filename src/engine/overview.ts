import { availableParallelism, totalmem } from "node:os";
import type { CgroupStats, InterfaceCounters } from "../runtime/mod.ts";
import { containerKind } from "./container.ts";
import type { EngineContext } from "./context.ts";
import type { ContainerUsage, HostOverview } from "./engine.ts";
import { hasProcess } from "./lookup.ts";

/**
 * All containers and what they use, again and again: what a view of the whole host needs, for the price of one reading
 * of the kernel's counters.
 */
export async function* overviews(
  { clock, runtime, store }: EngineContext,
  { all, every }: { readonly all: boolean; readonly every: number },
  signal?: AbortSignal,
): AsyncGenerator<HostOverview> {
  for (;;) {
    const known = store.view((tx) => tx.list(containerKind)).filter(({ status }) => status.state !== "removing");
    const shown = all ? known : known.filter(hasProcess);
    const containers = shown.map((container) => {
      const counters = hasProcess(container) ? runtime.stats(container.id) : undefined;
      const pid = container.status.init?.pid;
      const networks = counters === undefined || pid === undefined ? {} : runtime.interfaceCounters(pid);
      return { container, usage: counters === undefined ? undefined : usageOf(counters, networks) };
    });
    yield {
      at: clock.now(),
      cpus: availableParallelism(),
      memory: totalmem(),
      stopped: known.length - known.filter(hasProcess).length,
      containers,
    };
    try {
      await clock.sleep(every, signal);
    } catch (reason) {
      if (signal?.aborted !== true) throw reason;
      return;
    }
  }
}

function usageOf(
  { cpu, memory, pids, blkio }: CgroupStats,
  networks: Readonly<Record<string, InterfaceCounters>>,
): ContainerUsage {
  // Cache that can be dropped at once is not what the container needs; both versions of control groups name it.
  const droppable = memory.stat.total_inactive_file ?? memory.stat.inactive_file ?? 0;
  const interfaces = Object.values(networks);
  const bytes = (kind: string) =>
    (blkio.io_service_bytes_recursive ?? []).reduce(
      (sum, { op, value }) => sum + (op.toLowerCase() === kind ? value : 0),
      0,
    );
  return {
    cpu: cpu.total,
    memory: droppable < memory.usage ? memory.usage - droppable : memory.usage,
    memoryLimit: memory.limit > 0 && memory.limit < totalmem() ? memory.limit : undefined,
    received: interfaces.reduce((sum, { rxBytes }) => sum + rxBytes, 0),
    sent: interfaces.reduce((sum, { txBytes }) => sum + txBytes, 0),
    read: bytes("read"),
    written: bytes("write"),
    processes: pids.current,
  };
}
