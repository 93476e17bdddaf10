import { HavreError } from "../../../base/mod.ts";
import { startStream, write } from "../answers.ts";
import { eventMatches } from "../event-filters.ts";
import type { Exchange, Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";
import { eventView } from "../projections/event.ts";
import type { UseCases } from "../use-cases.ts";

async function events(exchange: Exchange, { events: log }: UseCases): Promise<void> {
  const { query, response, signal } = exchange;
  const since = query.time("since");
  const until = query.time("until");
  if (until !== undefined && since !== undefined && until < since) {
    throw new HavreError(
      "invalid-argument",
      `\`since\` time (${query.text("since")}) cannot be after \`until\` time (${query.text("until")})`,
    );
  }
  const filters = parseFilters(query.text("filters"));
  const range = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
  const stream = log.subscribe(range, signal)[Symbol.asyncIterator]();
  // Started before the headers go out, so that nothing that happens after the answer is missed.
  let next = stream.next();
  startStream(exchange, "application/json");
  try {
    for (let result = await next; !result.done; result = await next) {
      if (eventMatches(result.value, filters))
        await write(response, `${JSON.stringify(eventView(result.value))}\n`, signal);
      next = stream.next();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await stream.return?.();
  }
  response.end();
}

export function eventRoutes(useCases: UseCases): readonly Route[] {
  return [{ method: "GET", path: "/events", handle: (exchange) => events(exchange, useCases) }];
}
