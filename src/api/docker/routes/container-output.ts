import { totalmem } from "node:os";
import { HavreError } from "../../../base/mod.ts";
import type { LogOptions } from "../../../engine/mod.ts";
import type { OutputChunk } from "../../../runtime/mod.ts";
import type { FileChange } from "../../../snapshots/mod.ts";
import { sendJson, sendStatus, startStream, write } from "../answers.ts";
import type { Exchange, Route } from "../exchange.ts";
import { streamType } from "../hijack.ts";
import { statsView } from "../projections/stats.ts";
import { frame, frameLines } from "../stdcopy.ts";
import type { UseCases } from "../use-cases.ts";

/** `tail`: a whole number; anything else means all, as dockerd has it. */
function tailOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What a request for logs asks; Docker's text when it asks for no stream. */
export function logOptions({ query }: Exchange): LogOptions {
  const [stdout, stderr] = [query.flag("stdout"), query.flag("stderr")];
  if (!stdout && !stderr)
    throw new HavreError("invalid-argument", "Bad parameters: you must choose at least one stream");
  const [since, until, tail] = [query.time("since"), query.time("until"), tailOf(query.text("tail"))];
  return {
    stdout,
    stderr,
    follow: query.flag("follow"),
    timestamps: query.flag("timestamps"),
    details: query.flag("details"),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    ...(tail === undefined ? {} : { tail }),
  };
}

/**
 * Answers with logs as they come. A follower gets its lines one by one; who reads what there is gets it in large pieces, which
 * is many times faster.
 */
export async function sendLogs(
  exchange: Exchange,
  { terminal, output }: { readonly terminal: boolean; readonly output: AsyncIterable<OutputChunk> },
): Promise<void> {
  const { query, response, signal } = exchange;
  const framed = query.flag("follow") ? frameLines : frame;
  startStream(exchange, streamType(exchange, terminal));
  try {
    for await (const chunk of output) await write(response, terminal ? chunk.data : framed(chunk), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  response.end();
}

async function logs(exchange: Exchange, { streams }: UseCases): Promise<void> {
  const options = logOptions(exchange);
  await sendLogs(exchange, await streams.logs(exchange.parameter("name"), options, exchange.signal));
}

async function stats(exchange: Exchange, { containers, observation }: UseCases): Promise<void> {
  const { query, version, response, signal } = exchange;
  const { id } = containers.get(exchange.parameter("name"));
  const stream = query.flag("stream", true);
  const oneShot = version.since(41) && query.flag("one-shot");
  const samples = observation.stats(id, { stream, oneShot }, signal);
  startStream(exchange, "application/json");
  try {
    for await (const sample of samples) {
      await write(response, `${JSON.stringify(statsView(sample, totalmem()))}\n`, signal);
      if (!stream) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  response.end();
}

async function resize(exchange: Exchange, { streams }: UseCases): Promise<void> {
  const [height, width] = [exchange.query.requiredInteger("h"), exchange.query.requiredInteger("w")];
  await streams.resize(exchange.parameter("name"), height, width);
  sendStatus(exchange, 200);
}

async function top(exchange: Exchange, { containers, observation }: UseCases): Promise<void> {
  const table = await observation.top(
    containers.get(exchange.parameter("name")).id,
    exchange.query.text("ps_args") || "-ef",
  );
  sendJson(exchange, 200, { Processes: table.processes, Titles: table.titles });
}

const CHANGE_KIND: Readonly<Record<FileChange["kind"], number>> = { modified: 0, added: 1, deleted: 2 };

async function changes(exchange: Exchange, { archives }: UseCases): Promise<void> {
  const found = await archives.changes(exchange.parameter("name"));
  const view = found.map(({ path, kind }) => ({ Path: path, Kind: CHANGE_KIND[kind] }));
  sendJson(exchange, 200, view.length === 0 ? null : view);
}

/** What a container writes, runs, uses and changed. */
export function containerOutputRoutes(useCases: UseCases): readonly Route[] {
  return [
    { method: "GET", path: "/containers/{name}/logs", handle: (exchange) => logs(exchange, useCases) },
    { method: "GET", path: "/containers/{name}/stats", handle: (exchange) => stats(exchange, useCases) },
    { method: "POST", path: "/containers/{name}/resize", handle: (exchange) => resize(exchange, useCases) },
    { method: "GET", path: "/containers/{name}/top", handle: (exchange) => top(exchange, useCases) },
    { method: "GET", path: "/containers/{name}/changes", handle: (exchange) => changes(exchange, useCases) },
  ];
}
