import { isHavreError } from "../../base/mod.ts";
import { type Client, readJsonLines } from "../../client/mod.ts";
import { memoryUsed, type StatsAnswer } from "../commands/container/stats-sample.ts";
import type { ContainerSummary } from "../types.ts";
import type { Look, Reading, Usage } from "./look.ts";

/** Milliseconds between two looks. */
export const EVERY = 1000;

/** Looks at an engine until the signal: one stream of Havre's own, or many questions to another engine. */
export async function* looks(client: Client, all: boolean, signal: AbortSignal): AsyncGenerator<Look> {
  const query = { all: all || undefined, every: EVERY };
  const answer = await client.send("GET", "/havre/v1/overview", { query, signal });
  if (answer.head.status === 200) yield* nativeLooks(answer.body);
  else {
    await answer.text();
    yield* dockerLooks(client, all, signal);
  }
}

type NativeLook = Omit<Look, "containers"> & {
  readonly containers: readonly (Omit<Reading, "usage"> & { readonly usage?: Omit<Usage, "at"> })[];
};

async function* nativeLooks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Look> {
  for await (const look of readJsonLines<NativeLook>(body)) {
    const containers = look.containers.map(({ usage, ...reading }) =>
      usage === undefined ? reading : { ...reading, usage: { ...usage, at: look.at } },
    );
    yield { ...look, containers };
  }
}

/** An engine that is not Havre is asked for each container. */
async function* dockerLooks(client: Client, all: boolean, signal: AbortSignal): AsyncGenerator<Look> {
  const host = await client.json<{ NCPU: number; MemTotal: number }>("GET", "/info", { signal });
  while (!signal.aborted) {
    const known = await client.json<ContainerSummary[]>("GET", "/containers/json", { query: { all: true }, signal });
    const runs = ({ State }: ContainerSummary) => State === "running" || State === "paused";
    const shown = known.filter((container) => all || runs(container));
    const containers = await Promise.all(
      shown.map((container) => dockerReading(client, container, runs(container), host.MemTotal, signal)),
    );
    const stopped = known.length - known.filter(runs).length;
    yield { at: Date.now(), cpus: host.NCPU, memory: host.MemTotal, stopped, containers };
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

async function dockerReading(
  client: Client,
  { Id, Names, Image, Labels, State, Status, Ports, Created }: ContainerSummary,
  runs: boolean,
  hostMemory: number,
  signal: AbortSignal,
): Promise<Reading> {
  const usage = runs ? await dockerUsage(client, Id, hostMemory, signal) : undefined;
  return {
    id: Id,
    name: (Names?.[0] ?? Id).replace(/^\//, ""),
    image: Image,
    labels: Labels ?? {},
    state: State,
    health: /\((?:health: )?(starting|healthy|unhealthy)\)$/.exec(Status)?.[1] ?? "none",
    exitCode: Number(/^Exited \((\d+)\)/.exec(Status)?.[1] ?? 0),
    // The list tells ages in words only.
    startedAt: Created * 1000,
    restarts: 0,
    ports: Ports ?? [],
    ...(usage === undefined ? {} : { usage }),
  };
}

async function dockerUsage(
  client: Client,
  id: string,
  hostMemory: number,
  signal: AbortSignal,
): Promise<Usage | undefined> {
  try {
    const query = { stream: false, "one-shot": true };
    const sample = await client.json<StatsAnswer>("GET", `/containers/${id}/stats`, { query, signal });
    const interfaces = Object.values(sample.networks ?? {});
    const blocks = sample.blkio_stats.io_service_bytes_recursive ?? [];
    const bytes = (kind: string) =>
      blocks.reduce((sum, { op, value }) => sum + (op.toLowerCase() === kind ? value : 0), 0);
    const limit = sample.memory_stats.limit ?? 0;
    return {
      at: Date.parse(sample.read),
      cpu: sample.cpu_stats.cpu_usage.total_usage,
      memory: memoryUsed(sample),
      ...(limit > 0 && limit < hostMemory ? { memoryLimit: limit } : {}),
      received: interfaces.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
      sent: interfaces.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
      read: bytes("read"),
      written: bytes("write"),
      processes: sample.pids_stats.current ?? 0,
    };
  } catch (error) {
    // It ended in between.
    if (isHavreError(error) && error.kind !== "cancelled") return undefined;
    throw error;
  }
}
