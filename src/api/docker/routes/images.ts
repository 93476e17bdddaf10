import { HavreError, parseDigest } from "../../../base/mod.ts";
import type { Image } from "../../../images/mod.ts";
import { decodeContainerBody, parseKeepTime, parseReference } from "../../../spec/mod.ts";
import { sendJson, sendStatus } from "../answers.ts";
import { ApiVersion } from "../api-version.ts";
import { readJsonText } from "../body.ts";
import type { Exchange, Route } from "../exchange.ts";
import { Filters, parseFilters } from "../filters.ts";
import { imageFilters } from "../image-filters.ts";
import { imageHistoryView, imageInspectView, imageSummaryView } from "../projections/image.ts";
import { pruneFilters } from "../prune-filters.ts";
import type { UseCases } from "../use-cases.ts";

function withReference(filters: Filters, { query, version }: Exchange): Filters {
  const pattern = version.before(41) ? query.text("filter") : "";
  if (pattern === "") return filters;
  return new Filters(new Map([["reference", new Set([pattern])], ...filters.entries()]));
}

function list(exchange: Exchange, { images, imageAccounts }: UseCases): void {
  const { query, version } = exchange;
  const filters = withReference(parseFilters(query.text("filters")), exchange);
  const found = images.list(imageFilters(filters, Date.now()), query.flag("all"));
  const asksShared = version.since(42) && query.flag("shared-size");
  const shared = new Map(
    asksShared ? imageAccounts.diskUsage().images.map(({ image, sharedSize }) => [image.id, sharedSize]) : [],
  );
  const views = found.map((image) =>
    imageSummaryView(image, version, { shared: shared.get(image.id) ?? -1, containers: -1 }),
  );
  sendJson(exchange, 200, views);
}

async function remove(exchange: Exchange, { images }: UseCases): Promise<void> {
  const name = exchange.parameter("name");
  if (name.trim() === "") throw new HavreError("invalid-argument", "image name cannot be blank");
  const { query } = exchange;
  const keep = query.optional("keep");
  const results = await images.remove(name, {
    force: query.flag("force"),
    prune: !query.flag("noprune"),
    ...(keep === undefined ? {} : { keep: keepTime(keep) }),
  });
  sendJson(exchange, 200, results.map(removalView));
}

/** Havre's own: milliseconds that the image can still come back. */
function keepTime(text: string): number {
  const keep = parseKeepTime(text);
  if (keep !== undefined) return keep;
  throw new HavreError("invalid-argument", `${JSON.stringify(text)} is no time to keep an image for`, {
    hint: "Write 72h or 30d; 0 keeps nothing",
  });
}

function removalView({ untagged, deleted }: { readonly untagged?: string; readonly deleted?: string }) {
  return {
    ...(untagged === undefined ? {} : { Untagged: untagged }),
    ...(deleted === undefined ? {} : { Deleted: deleted }),
  };
}

async function tag(exchange: Exchange, { images }: UseCases): Promise<void> {
  const [repository, name] = [exchange.query.text("repo"), exchange.query.optional("tag")];
  if (repository === "") throw new HavreError("invalid-argument", "invalid reference format");
  if (parseReference(repository).digest) throw new HavreError("invalid-argument", "cannot import digest reference");
  if (repository === "sha256") {
    throw new HavreError("invalid-argument", "refusing to create an ambiguous tag using digest algorithm as name");
  }
  await images.tag(exchange.parameter("name"), repository, name);
  sendStatus(exchange, 201);
}

async function prune(exchange: Exchange, { images }: UseCases): Promise<void> {
  const filters = parseFilters(exchange.query.text("filters"));
  filters.validate(["dangling", "label", "label!", "until"]);
  const { removed, reclaimed } = await images.prune({
    ...pruneFilters(filters, Date.now()),
    dangling: filters.flag("dangling") ?? true,
  });
  sendJson(exchange, 200, {
    ImagesDeleted: removed.length === 0 ? null : removed.map(removalView),
    SpaceReclaimed: reclaimed,
  });
}

async function commit(exchange: Exchange, { commits }: UseCases): Promise<void> {
  const { query, request } = exchange;
  const text = await readJsonText(request);
  // An empty body is no configuration here, however it was sent.
  const config = text?.trim() ? decodeContainerBody(text).config : undefined;
  const container = query.text("container");
  if (container === "") throw new HavreError("invalid-argument", 'invalid name or ID supplied: ""');
  const [repository, name] = [query.optional("repo"), query.optional("tag")];
  const id = await commits.commit(container, {
    ...(repository === undefined ? {} : { repository }),
    ...(name === undefined ? {} : { tag: name }),
    author: query.text("author"),
    comment: query.text("comment"),
    pause: query.flag("pause", true),
    changes: query.all("changes").flatMap((change) => change.split("\n")),
    ...(config === undefined ? {} : { config }),
  });
  sendJson(exchange, 201, { Id: id });
}

function inspect(exchange: Exchange, { images, placement }: UseCases): void {
  const image: Image = images.resolve(exchange.parameter("name"));
  const view = imageInspectView(image, placement.image(parseDigest(image.id)), knownVersion(exchange));
  sendJson(exchange, 200, view);
}

/** The last version of the API whose answer has `ContainerConfig`. */
const WITH_CONTAINER_CONFIG = new ApiVersion("1.44");

/** docker-compose 1.29 asks by the newest version and trips over what that has no more, when it replaces a container. */
function knownVersion({ request, version }: Exchange): ApiVersion {
  const isOld = request.headers["user-agent"]?.startsWith("docker-compose/1.") ?? false;
  return isOld && !version.before(44) ? WITH_CONTAINER_CONFIG : version;
}

/** Images that are here: what they are, their names, their removal. */
export function imageRoutes(useCases: UseCases): readonly Route[] {
  const { images } = useCases;
  return [
    { method: "GET", path: "/images/json", handle: (exchange) => list(exchange, useCases) },
    { method: "POST", path: "/images/prune", handle: (exchange) => prune(exchange, useCases) },
    { method: "GET", path: "/images/{name...}/json", handle: (exchange) => inspect(exchange, useCases) },
    {
      method: "GET",
      path: "/images/{name...}/history",
      handle: (exchange) => sendJson(exchange, 200, images.history(exchange.parameter("name")).map(imageHistoryView)),
    },
    { method: "POST", path: "/images/{name...}/tag", handle: (exchange) => tag(exchange, useCases) },
    { method: "DELETE", path: "/images/{name...}", handle: (exchange) => remove(exchange, useCases) },
    { method: "POST", path: "/commit", handle: (exchange) => commit(exchange, useCases) },
  ];
}
