import { HavreError } from "../../../base/mod.ts";
import type { DriverName, IpamPool, NetworkRequest } from "../../../networks/mod.ts";
import { decodeNetworkConnect, decodeNetworkCreate, decodeNetworkDisconnect } from "../../../spec/mod.ts";
import { sendJson, sendStatus } from "../answers.ts";
import { readJsonText } from "../body.ts";
import type { Exchange, Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";
import { selectNetworks } from "../network-filters.ts";
import { networkView } from "../projections/network.ts";
import { pruneFilters } from "../prune-filters.ts";
import type { UseCases } from "../use-cases.ts";

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

function inspect(exchange: Exchange, useCases: UseCases): void {
  const ref = exchange.parameter("id");
  const scope = exchange.query.text("scope");
  const network = useCases.networks.get(ref);
  if (scope !== "" && scope !== network.scope) throw new HavreError("not-found", `network ${ref} not found`);
  sendJson(exchange, 200, networkView(network, nameOf(useCases)));
}

type CreateBody = ReturnType<typeof decodeNetworkCreate>;

function poolOf(config: NonNullable<NonNullable<CreateBody["IPAM"]>["Config"]>[number]): IpamPool {
  const { Subnet, IPRange, Gateway, AuxiliaryAddresses } = config;
  return {
    subnet: Subnet,
    ...(IPRange === "" ? {} : { ipRange: IPRange }),
    ...(Gateway === "" ? {} : { gateway: Gateway }),
    ...(AuxiliaryAddresses === null ? {} : { auxiliary: AuxiliaryAddresses }),
  };
}

function requestOf(body: CreateBody): NetworkRequest {
  const { Driver, Scope, IPAM } = body;
  if (Scope === "swarm") {
    throw new HavreError("permission-denied", "cannot create a swarm scoped network when swarm is not active");
  }
  const ipam = IPAM === null ? undefined : IPAM;
  return {
    name: body.Name,
    // What there is no driver for is told by the use-case.
    driver: (Driver === "" || Driver === "default" ? "bridge" : Driver) as DriverName,
    ipv6: body.EnableIPv6 ?? false,
    internal: body.Internal,
    attachable: body.Attachable,
    ingress: body.Ingress,
    configOnly: body.ConfigOnly,
    configFrom: body.ConfigFrom?.Network ?? "",
    options: body.Options ?? {},
    labels: body.Labels ?? {},
    ...(ipam === undefined
      ? {}
      : {
          ipam: {
            driver: ipam.Driver || "default",
            options: ipam.Options ?? undefined,
            pools: (ipam.Config ?? []).map(poolOf),
          },
        }),
  };
}

async function create(exchange: Exchange, { networks }: UseCases): Promise<void> {
  const { id } = await networks.create(requestOf(decodeNetworkCreate(await readJsonText(exchange.request))));
  sendJson(exchange, 201, { Id: id, Warning: "" });
}

async function prune(exchange: Exchange, { networks }: UseCases): Promise<void> {
  const filters = parseFilters(exchange.query.text("filters"));
  filters.validate(["label", "label!", "until"]);
  const removed = await networks.prune(pruneFilters(filters, Date.now()));
  sendJson(exchange, 200, { NetworksDeleted: removed.length === 0 ? null : removed });
}

async function connect(exchange: Exchange, { networks }: UseCases): Promise<void> {
  const { container, endpoint } = decodeNetworkConnect((await readJsonText(exchange.request)) ?? "");
  await networks.connect(exchange.parameter("id"), container, endpoint);
  sendStatus(exchange, 200);
}

async function disconnect(exchange: Exchange, { networks }: UseCases): Promise<void> {
  const { container, force } = decodeNetworkDisconnect((await readJsonText(exchange.request)) ?? "");
  await networks.disconnect(exchange.parameter("id"), container, force);
  sendStatus(exchange, 200);
}

async function remove(exchange: Exchange, { networks }: UseCases): Promise<void> {
  await networks.remove(exchange.parameter("id"));
  sendStatus(exchange, 204);
}

export function networkRoutes(useCases: UseCases): readonly Route[] {
  const on = (
    method: Route["method"],
    path: string,
    handle: (exchange: Exchange, useCases: UseCases) => Promise<void> | void,
  ): Route => ({
    method,
    path,
    handle: (exchange) => handle(exchange, useCases),
  });
  return [
    on("GET", "/networks", list),
    on("GET", "/networks/", list),
    on("POST", "/networks/create", create),
    on("POST", "/networks/prune", prune),
    on("POST", "/networks/{id}/connect", connect),
    on("POST", "/networks/{id}/disconnect", disconnect),
    on("GET", "/networks/{id...}", inspect),
    on("DELETE", "/networks/{id...}", remove),
  ];
}
