import { HavreError } from "../../../base/mod.ts";
import { sendJson } from "../answers.ts";
import type { Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";

function refuse(what: string): () => never {
  return () => {
    throw new HavreError("not-implemented", `${what} is not implemented yet`);
  };
}

/** Named volumes are still to come: there are none, and none can be made. */
export function volumeRoutes(): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/volumes",
      handle: (exchange) => {
        parseFilters(exchange.query.text("filters")).validate(["dangling", "name", "driver", "label"]);
        sendJson(exchange, 200, { Volumes: [], Warnings: null });
      },
    },
    { method: "POST", path: "/volumes/create", handle: refuse("Creating volumes") },
    {
      method: "POST",
      path: "/volumes/prune",
      handle: (exchange) => {
        parseFilters(exchange.query.text("filters")).validate(["label", "label!", "all"]);
        sendJson(exchange, 200, { VolumesDeleted: [], SpaceReclaimed: 0 });
      },
    },
    ...(["GET", "DELETE"] as const).map(
      (method): Route => ({
        method,
        path: "/volumes/{name...}",
        handle: (exchange) => {
          throw new HavreError("not-found", `get ${exchange.parameter("name")}: no such volume`);
        },
      }),
    ),
    { method: "PUT", path: "/volumes/{name...}", handle: refuse("Updating volumes") },
  ];
}
