import { sendJson } from "../answers.ts";
import { selectContainers } from "../container-filters.ts";
import type { Exchange, Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";
import { containerInspectView } from "../projections/container-inspect.ts";
import { containerSummaryView } from "../projections/container-summary.ts";
import { linksOf, networkIds, sizesOf, surroundingsOf } from "../surroundings.ts";
import type { UseCases } from "../use-cases.ts";

async function list(exchange: Exchange, useCases: UseCases): Promise<void> {
  const { query } = exchange;
  const filters = parseFilters(query.text("filters"));
  const surroundings = surroundingsOf(useCases);
  const limit = query.integer("limit", 500) ?? 0;
  const found = selectContainers(useCases.containers.list(), {
    all: query.flag("all"),
    limit,
    filters,
    before: query.optional("before"),
    since: query.optional("since"),
    findImage: (name) => useCases.images.find(name),
    networkIds: surroundings.networkIds,
  });
  const withSizes = query.flag("size");
  const views = found.map(async (container) => {
    const sizes = withSizes ? await sizesOf(container, useCases) : undefined;
    return containerSummaryView(container, surroundings, exchange.version, sizes);
  });
  sendJson(exchange, 200, await Promise.all(views));
}

async function inspect(exchange: Exchange, useCases: UseCases): Promise<void> {
  const container = useCases.containers.get(exchange.parameter("name"));
  const sizes = exchange.query.flag("size") ? await sizesOf(container, useCases) : undefined;
  const place = useCases.placement.container(container.id);
  const links = linksOf(container, useCases);
  sendJson(exchange, 200, containerInspectView(container, place, networkIds(useCases), { links, sizes }));
}

/** What containers there are, and everything about one. */
export function containerListRoutes(useCases: UseCases): readonly Route[] {
  return [
    { method: "GET", path: "/containers/json", handle: (exchange) => list(exchange, useCases) },
    { method: "GET", path: "/containers/{name}/json", handle: (exchange) => inspect(exchange, useCases) },
  ];
}
