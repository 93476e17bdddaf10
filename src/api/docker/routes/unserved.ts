import { HavreError } from "../../../base/mod.ts";
import { sendJson } from "../answers.ts";
import type { Route } from "../exchange.ts";

function refuse(what: string): () => never {
  return () => {
    throw new HavreError("not-implemented", `${what} is not implemented yet`);
  };
}

/** Endpoints whose part of Havre does not exist yet: an honest answer each. */
export function unservedRoutes(): readonly Route[] {
  const plugins = refuse("Managing plugins");
  return [
    { method: "GET", path: "/plugins", handle: (exchange) => sendJson(exchange, 200, []) },
    { method: "GET", path: "/plugins/privileges", handle: plugins },
    { method: "POST", path: "/plugins/pull", handle: plugins },
    { method: "POST", path: "/plugins/create", handle: plugins },
    {
      method: "GET",
      path: "/plugins/{name...}/json",
      handle: (exchange) => {
        throw new HavreError("not-found", `plugin ${JSON.stringify(exchange.parameter("name"))} not found`);
      },
    },
    { method: "POST", path: "/plugins/{name...}", handle: plugins },
    { method: "DELETE", path: "/plugins/{name...}", handle: plugins },
    { method: "GET", path: "/containers/{name}/checkpoints", handle: refuse("Listing checkpoints") },
    { method: "POST", path: "/containers/{name}/checkpoints", handle: refuse("Checkpointing containers") },
    { method: "DELETE", path: "/containers/{name}/checkpoints/{id}", handle: refuse("Deleting checkpoints") },
  ];
}
