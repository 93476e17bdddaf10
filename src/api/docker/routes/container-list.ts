import type { Container } from "../../../engine/mod.ts";
import { sendJson } from "../answers.ts";
import { selectContainers } from "../container-filters.ts";
import type { Exchange, Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";
import { containerInspectView } from "../projections/container-inspect.ts";
import { containerSummaryView, type Sizes } from "../projections/container-summary.ts";
import type { UseCases } from "../use-cases.ts";

async function sizesOf(container: Container, { containers }: UseCases): Promise<Sizes> {
  const { writable, rootSize } = await containers.usage(container.id);
  return { writable: writable.size, root: rootSize };
}

/** The image as it is shown: by the name it was created with while that still means the same image, else by id. */
export function shownImage({ spec }: Container, { images }: Pick<UseCases, "images">): string {
  const { imageId } = spec;
  const name = spec.config.Image;
  if (imageId === undefined || name === imageId) return name;
  return images.find(name)?.id === imageId ? name : imageId;
}

async function list(exchange: Exchange, useCases: UseCases): Promise<void> {
  const { query } = exchange;
  const filters = parseFilters(query.text("filters"));
  const limit = query.integer("limit", 500) ?? 0;
  const found = selectContainers(useCases.containers.list(), {
    all: query.flag("all"),
    limit,
    filters,
    before: query.optional("before"),
    since: query.optional("since"),
    findImage: (name) => useCases.images.find(name),
  });
  const now = Date.now();
  const withSizes = query.flag("size");
  const views = found.map(async (container) => {
    const sizes = withSizes ? await sizesOf(container, useCases) : undefined;
    return containerSummaryView(container, shownImage(container, useCases), now, sizes);
  });
  sendJson(exchange, 200, await Promise.all(views));
}

async function inspect(exchange: Exchange, useCases: UseCases): Promise<void> {
  const container = useCases.containers.get(exchange.parameter("name"));
  const sizes = exchange.query.flag("size") ? await sizesOf(container, useCases) : undefined;
  sendJson(exchange, 200, containerInspectView(container, useCases.placement.container(container.id), sizes));
}

/** What containers there are, and everything about one. */
export function containerListRoutes(useCases: UseCases): readonly Route[] {
  return [
    { method: "GET", path: "/containers/json", handle: (exchange) => list(exchange, useCases) },
    { method: "GET", path: "/containers/{name}/json", handle: (exchange) => inspect(exchange, useCases) },
  ];
}
