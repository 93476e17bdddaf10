import { isIP } from "node:net";
import { HavreError } from "../../base/mod.ts";
import type { PortName } from "../../engine/mod.ts";
import { decodePortChange } from "../../spec/mod.ts";
import { sendJson } from "../docker/answers.ts";
import { readJsonText } from "../docker/body.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import { portMap } from "../docker/projections/ports.ts";
import type { UseCases } from "../docker/use-cases.ts";

async function change(exchange: Exchange, { ports }: UseCases): Promise<void> {
  const { publish, unpublish, open } = decodePortChange((await readJsonText(exchange.request)) ?? "{}");
  const container = await ports.change(exchange.parameter("name"), {
    publish,
    unpublish: (unpublish ?? []).map(portName),
    open: open ?? [],
  });
  sendJson(exchange, 200, { ports: portMap(container) });
}

async function takeOver(exchange: Exchange, { ports }: UseCases): Promise<void> {
  const { query, signal } = exchange;
  const from = query.text("from");
  if (from === "") throw new HavreError("invalid-argument", "Parameter from is missing");
  const container = await ports.takeOver(exchange.parameter("name"), from, query.integer("drain") ?? 0, signal);
  sendJson(exchange, 200, { ports: portMap(container) });
}

/** `8080`, `8080/udp`, `127.0.0.1:8080`, `[::1]:8080/tcp`. */
function portName(text: string): PortName {
  const [, bracketed, plain, port = "", protocol = "tcp"] =
    /^(?:(?:\[(.+)\]|([^:]+)):)?(\d+)(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (port === "" || Number(port) > 65535 || (address !== undefined && isIP(address) === 0)) {
    throw new HavreError("invalid-argument", `Invalid port ${JSON.stringify(text)}`, {
      hint: "Name a host port: [ADDRESS:]PORT[/PROTOCOL]",
    });
  }
  return { address, port: Number(port), protocol };
}

/** Published ports: changed while the container runs, and who reaches them. */
export function portRoutes(useCases: UseCases): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/havre/v1/containers/{name}/ports",
      handle: (exchange) => change(exchange, useCases),
    },
    {
      method: "POST",
      path: "/havre/v1/containers/{name}/take-ports",
      handle: (exchange) => takeOver(exchange, useCases),
    },
    {
      method: "GET",
      path: "/havre/v1/containers/{name}/reach",
      handle: async (exchange) => sendJson(exchange, 200, await useCases.ports.reach(exchange.parameter("name"))),
    },
  ];
}
