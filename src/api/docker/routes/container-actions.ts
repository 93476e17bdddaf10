import { HavreError, isHavreError, Timeline } from "../../../base/mod.ts";
import type { StopOptions, WaitCondition } from "../../../engine/mod.ts";
import { sendJson, sendStatus } from "../answers.ts";
import { prefixed, StatusError } from "../errors.ts";
import type { Exchange, Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";
import { pruneFilters } from "../prune-filters.ts";
import type { UseCases } from "../use-cases.ts";

const CONDITIONS: readonly WaitCondition[] = ["not-running", "next-exit", "removed"];

function isCondition(text: string): text is WaitCondition {
  return CONDITIONS.includes(text as WaitCondition);
}

async function start(exchange: Exchange, { containers }: UseCases): Promise<void> {
  const { request, query } = exchange;
  const length = Number(request.headers["content-length"] ?? 0);
  if (length > 7 || request.headers["transfer-encoding"] !== undefined) {
    throw new HavreError(
      "invalid-argument",
      "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
    );
  }
  if (query.text("checkpoint") !== "")
    throw new HavreError("not-implemented", "Starting from a checkpoint is not implemented yet");
  // A container that is not here is 404; what is missing inside one that is here is the request's fault.
  const { id } = containers.get(exchange.parameter("name"));
  const timeline = new Timeline();
  try {
    await containers.start(id, { timeline });
  } catch (error) {
    if (isHavreError(error, "not-found") || isHavreError(error, "permission-denied")) {
      throw new StatusError(400, error.kind, error.message, error);
    }
    throw error;
  }
  if (timeline.steps.length > 0) exchange.response.setHeader("Server-Timing", timeline.serverTiming());
  sendStatus(exchange, 204);
}

function stopOptions({ query, version }: Exchange): StopOptions {
  const signal = version.since(42) ? query.optional("signal") : undefined;
  const timeout = query.integer("t", 500);
  return { ...(signal === undefined ? {} : { signal }), ...(timeout === undefined ? {} : { timeout }) };
}

async function kill(exchange: Exchange, { containers }: UseCases): Promise<void> {
  const name = exchange.parameter("name");
  try {
    await containers.kill(name, exchange.query.optional("signal"));
  } catch (error) {
    if (!isHavreError(error)) throw error;
    throw prefixed(`cannot kill container: ${name}`, error);
  }
  sendStatus(exchange, 204);
}

async function wait(exchange: Exchange, { containers }: UseCases): Promise<void> {
  const { query, version, response, signal } = exchange;
  const atOnce = version.since(30);
  const given = atOnce ? query.text("condition") || "not-running" : "not-running";
  if (!isCondition(given)) throw new HavreError("invalid-argument", `invalid condition: ${JSON.stringify(given)}`);
  const { exit } = await containers.wait(exchange.parameter("name"), given, signal);
  exit.catch(() => {});
  if (atOnce) {
    // Clients start the container only once they know that its end is waited for.
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
  }
  try {
    const { code, error } = await exit;
    const result = { StatusCode: code, ...(error ? { Error: { Message: error } } : {}) };
    if (atOnce) response.end(`${JSON.stringify(result)}\n`);
    else sendJson(exchange, 200, result);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function remove(exchange: Exchange, { containers }: UseCases): Promise<void> {
  const { query } = exchange;
  await containers.remove(exchange.parameter("name"), {
    force: query.flag("force"),
    volumes: query.flag("v"),
    ...(query.flag("link") ? { link: true } : {}),
  });
  sendStatus(exchange, 204);
}

async function prune(exchange: Exchange, { containers }: UseCases): Promise<void> {
  const filters = parseFilters(exchange.query.text("filters"));
  filters.validate(["label", "label!", "until"]);
  const { removed, reclaimed } = await containers.prune(pruneFilters(filters, Date.now()));
  sendJson(exchange, 200, { ContainersDeleted: removed.length === 0 ? null : removed, SpaceReclaimed: reclaimed });
}

/** What moves a container from one state to another, and waiting for it. */
export function containerActionRoutes(useCases: UseCases): readonly Route[] {
  const { containers } = useCases;
  const action = (name: string, act: (ref: string, exchange: Exchange) => Promise<void>): Route => ({
    method: "POST",
    path: `/containers/{name}/${name}`,
    handle: async (exchange) => {
      await act(exchange.parameter("name"), exchange);
      sendStatus(exchange, 204);
    },
  });
  return [
    { method: "POST", path: "/containers/{name}/start", handle: (exchange) => start(exchange, useCases) },
    action("stop", (ref, exchange) => containers.stop(ref, stopOptions(exchange))),
    action("restart", (ref, exchange) => containers.restart(ref, stopOptions(exchange))),
    action("pause", (ref) => containers.pause(ref)),
    action("unpause", (ref) => containers.unpause(ref)),
    { method: "POST", path: "/containers/{name}/kill", handle: (exchange) => kill(exchange, useCases) },
    { method: "POST", path: "/containers/{name}/wait", handle: (exchange) => wait(exchange, useCases) },
    { method: "POST", path: "/containers/prune", handle: (exchange) => prune(exchange, useCases) },
    { method: "DELETE", path: "/containers/{name...}", handle: (exchange) => remove(exchange, useCases) },
  ];
}
