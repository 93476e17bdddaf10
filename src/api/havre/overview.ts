import type { Container, HostOverview } from "../../engine/mod.ts";
import { startStream, write } from "../docker/answers.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import { portsOf } from "../docker/projections/ports.ts";
import type { UseCases } from "../docker/use-cases.ts";

const USUAL_MS = 1000;
/** Faster than this nobody sees more, and the counters themselves would be the load. */
const SHORTEST_MS = 200;

function overviewView({ containers, ...host }: HostOverview) {
  return {
    ...host,
    containers: containers.map(({ container, usage }) => {
      const { id, name, spec, status } = container;
      return {
        id,
        name,
        image: spec.config.Image,
        labels: spec.config.Labels ?? {},
        state: status.state,
        health: status.health?.status ?? "none",
        exitCode: status.exitCode,
        startedAt: status.startedAt,
        finishedAt: status.finishedAt,
        restarts: status.restartCount,
        ports: portsOf(container),
        note: noteOf(container),
        usage,
      };
    }),
  };
}

const NOTE_LENGTH = 200;

/** Why a container is not well, in a line; undefined when it is. */
function noteOf({ status: { state, error, oomKilled, health } }: Container): string | undefined {
  const probe = health?.status === "unhealthy" ? health.log.at(-1) : undefined;
  const note = probe
    ? `health check: ${probe.output.trim().split("\n")[0] || `exit code ${probe.exitCode}`}`
    : error || (oomKilled && state === "exited" ? "killed: out of memory" : "");
  return note === "" ? undefined : note.slice(0, NOTE_LENGTH);
}

async function overview(exchange: Exchange, { observation }: UseCases): Promise<void> {
  const { query, response, signal } = exchange;
  const every = Math.max(SHORTEST_MS, query.integer("every") ?? USUAL_MS);
  const looks = observation.overviews({ all: query.flag("all"), every }, signal);
  startStream(exchange, "application/json");
  try {
    for await (const look of looks) await write(response, `${JSON.stringify(overviewView(look))}\n`, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  response.end();
}

/** Everything on this host and what it uses, as one stream. */
export function overviewRoutes(useCases: UseCases): readonly Route[] {
  return [{ method: "GET", path: "/havre/v1/overview", handle: (exchange) => overview(exchange, useCases) }];
}
