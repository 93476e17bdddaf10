import { sendJson } from "../docker/answers.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import type { UseCases } from "../docker/use-cases.ts";

/** `?container=`, `?image=` (both may be repeated), `?host=1`; nothing: everything. */
function audit({ query }: Exchange, { audits }: UseCases) {
  const [containers, images, host] = [query.all("container"), query.all("image"), query.flag("host")];
  if (containers.length === 0 && images.length === 0 && !host) return audits.all();
  return [
    ...(host ? audits.host() : []),
    ...containers.flatMap((name) => audits.container(name)),
    ...images.flatMap((name) => audits.image(name)),
  ];
}

const OBSERVATIONS = ["observed", "needs", "drift"] as const;

/** What is kept of the ten practices; what a container was granted, and what it was denied. */
export function auditRoutes(useCases: UseCases): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/havre/v1/audit",
      handle: (exchange) => sendJson(exchange, 200, audit(exchange, useCases)),
    },
    { method: "GET", path: "/havre/v1/grants", handle: (exchange) => sendJson(exchange, 200, useCases.grants.words()) },
    {
      method: "GET",
      path: "/havre/v1/containers/{name}/why",
      handle: async (exchange) => sendJson(exchange, 200, await useCases.refusals.why(exchange.parameter("name"))),
    },
    ...OBSERVATIONS.map(
      (what): Route => ({
        method: "GET",
        path: `/havre/v1/containers/{name}/${what}`,
        handle: async (exchange) =>
          sendJson(exchange, 200, await useCases.observations[what](exchange.parameter("name"))),
      }),
    ),
    {
      method: "GET",
      path: "/havre/v1/containers/{name}/grants",
      handle: (exchange) => sendJson(exchange, 200, useCases.grants.of(exchange.parameter("name"))),
    },
  ];
}
