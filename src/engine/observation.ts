import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { HavreError } from "../base/mod.ts";
import type { EngineContext } from "./context.ts";
import type { HostOverview, Observation, ProcessTable, StatsSample } from "./engine.ts";
import { getContainer, hasProcess, requireRunning } from "./lookup.ts";
import { overviews } from "./overview.ts";

const SAMPLE_EVERY = 1000;
/** USER_HZ: clock ticks per second of /proc/stat, fixed on Linux. */
const NANOSECONDS_PER_TICK = 1e7;

/** What runs inside containers, and what it uses. */
export class ContainerObservation implements Observation {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  async top(ref: string, psArguments: string): Promise<ProcessTable> {
    const container = getContainer(this.#context.store, ref);
    requireRunning(container, ref);
    const pids = new Set(this.#context.runtime.processes(container.id));
    return selectProcesses(await runPs(psArguments), pids);
  }

  async *stats(
    ref: string,
    { stream, oneShot }: { readonly stream: boolean; readonly oneShot: boolean },
    signal?: AbortSignal,
  ): AsyncGenerator<StatsSample> {
    const { id } = getContainer(this.#context.store, ref);
    let previous: StatsSample | undefined;
    if (!stream && !oneShot) {
      previous = await this.#sample(id, undefined);
      if (previous.read !== undefined) await this.#pause(signal);
    }
    while (signal?.aborted !== true) {
      const sample = await this.#sample(id, previous);
      yield sample;
      if (!stream) return;
      previous = sample;
      await this.#pause(signal);
    }
  }

  overviews(
    options: { readonly all: boolean; readonly every: number },
    signal?: AbortSignal,
  ): AsyncIterable<HostOverview> {
    return overviews(this.#context, options, signal);
  }

  /** A second, or less when the client goes away. */
  async #pause(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#context.clock.sleep(SAMPLE_EVERY, signal);
    } catch (reason) {
      if (signal?.aborted !== true) throw reason;
    }
  }

  async #sample(id: string, previous: StatsSample | undefined): Promise<StatsSample> {
    const container = getContainer(this.#context.store, id);
    const running = hasProcess(container);
    const pid = container.status.init?.pid;
    const current = running ? this.#context.runtime.stats(id) : undefined;
    const systemCpuUsage = running ? parseSystemCpu(await readFile("/proc/stat", "utf8")) : 0;
    return {
      containerId: id,
      name: container.name,
      read: current === undefined ? undefined : this.#context.clock.now(),
      previousRead: previous?.read,
      current,
      previous: previous?.current,
      networks: current === undefined || pid === undefined ? {} : this.#context.runtime.interfaceCounters(pid),
      onlineCpus: availableParallelism(),
      systemCpuUsage,
      previousSystemCpuUsage: previous?.systemCpuUsage ?? 0,
    };
  }
}

/** Nanoseconds all processors spent, idle time included: the first seven columns of /proc/stat, as Docker sums them. */
export function parseSystemCpu(stat: string): number {
  const line = stat.slice(0, stat.indexOf("\n"));
  const columns = line.trim().split(/\s+/).slice(1, 8).map(Number);
  return columns.reduce((sum, ticks) => sum + ticks, 0) * NANOSECONDS_PER_TICK;
}

/** Runs the host's ps, as dockerd does. `invalid-argument` with what ps says of bad arguments. */
function runPs(psArguments: string): Promise<string> {
  const words = psArguments.trim() === "" ? ["-ef"] : psArguments.trim().split(/\s+/);
  return new Promise((resolve, reject) => {
    execFile("ps", words, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if ("code" in error && error.code === "ENOENT") {
        reject(new HavreError("unavailable", "ps is not installed", { hint: "Install procps", cause: error }));
      } else reject(new HavreError("invalid-argument", `ps: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}

/** The rows of ps output whose PID column is in `pids`; the last column keeps its spaces. */
export function selectProcesses(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [header = "", ...rows] = output.split("\n").filter((row) => row !== "");
  const titles = header.trim().split(/\s+/);
  const pidColumn = titles.indexOf("PID");
  if (pidColumn < 0) throw new HavreError("invalid-argument", "Couldn't find PID field in ps output");
  const processes: string[][] = [];
  for (const row of rows) {
    const fields = row.trim().split(/\s+/);
    if (!pids.has(Number(fields[pidColumn]))) continue;
    const last = titles.length - 1;
    processes.push([...fields.slice(0, last), fields.slice(last).join(" ")]);
  }
  return { titles, processes };
}
