import { HavreError } from "../../../base/mod.ts";
import type { NetworkInfo } from "../../../networks/mod.ts";
import { sendJson } from "../answers.ts";
import type { Exchange, Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";
import { selectNetworks } from "../network-filters.ts";
import { networkView } from "../projections/network.ts";
import type { UseCases } from "../use-cases.ts";

/** By name, id or unambiguous id prefix, in that order; `not-found` and `invalid-argument` with Docker's texts. */
function findNetwork(networks: readonly NetworkInfo[], ref: string): NetworkInfo {
  const exact = networks.find(({ id }) => id === ref) ?? networks.find(({ name }) => name === ref);
  if (exact) return exact;
  const matches = networks.filter(({ id }) => id.startsWith(ref));
  if (matches.length > 1)
    throw new HavreError(
      "invalid-argument",
      `network ${ref} is ambiguous (${matches.length} matches found on ID prefix)`,
    );
  const [match] = matches;
  if (!match) throw new HavreError("not-found", `network ${ref} not found`);
  return match;
}

function nameOf(useCases: UseCases): (id: string) => string {
  return (id) => useCases.containers.list().find((container) => container.id === id)?.name ?? "";
}

function list(exchange: Exchange, useCases: UseCases): void {
  const filters = parseFilters(exchange.query.text("filters"));
  const networks = selectNetworks(useCases.networks.list(), filters);
  const detailed = exchange.version.before(28);
  sendJson(
    exchange,
    200,
    networks.map((network) => networkView(network, detailed ? nameOf(useCases) : undefined)),
  );
}

function refuse(what: string): () => never {
  return () => {
    throw new HavreError("not-implemented", `${what} is not implemented yet`, {
      hint: "Use bridge, host, none or container:NAME",
    });
  };
}

/** The built-in networks; those of users are still to come. */
export function networkRoutes(useCases: UseCases): readonly Route[] {
  const remove = (exchange: Exchange) => {
    const { name } = findNetwork(useCases.networks.list(), exchange.parameter("id"));
    throw new HavreError("permission-denied", `${name} is a pre-defined network and cannot be removed`);
  };
  return [
    { method: "GET", path: "/networks", handle: (exchange) => list(exchange, useCases) },
    { method: "GET", path: "/networks/", handle: (exchange) => list(exchange, useCases) },
    {
      method: "GET",
      path: "/networks/{id}",
      handle: (exchange) => {
        const network = findNetwork(useCases.networks.list(), exchange.parameter("id"));
        sendJson(exchange, 200, networkView(network, nameOf(useCases)));
      },
    },
    { method: "POST", path: "/networks/create", handle: refuse("Creating networks") },
    {
      method: "POST",
      path: "/networks/prune",
      handle: (exchange) => sendJson(exchange, 200, { NetworksDeleted: null }),
    },
    { method: "POST", path: "/networks/{id}/connect", handle: refuse("Connecting containers to networks") },
    { method: "POST", path: "/networks/{id}/disconnect", handle: refuse("Disconnecting containers from networks") },
    { method: "DELETE", path: "/networks/{id}", handle: remove },
  ];
}
