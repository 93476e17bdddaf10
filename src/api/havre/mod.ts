/**
 * The native API, `/havre/v1/…`: what Havre can do that Docker's API has no words for. Served on the same socket.
 * Owns nothing.
 */

import { sendJson } from "../docker/answers.ts";
import type { Route } from "../docker/exchange.ts";
import type { UseCases } from "../docker/use-cases.ts";
import { applicationRoutes } from "./apps.ts";
import { auditRoutes } from "./audit.ts";
import { buildRoutes } from "./build.ts";
import { catalogueRoutes } from "./catalogue.ts";
import { documentRoutes } from "./documents.ts";
import { execRoutes } from "./exec.ts";
import { historyRoutes } from "./history.ts";
import { networkAdviceRoutes } from "./networks.ts";
import { overviewRoutes } from "./overview.ts";
import { portRoutes } from "./ports.ts";
import { runRoutes } from "./run.ts";
import { volumeDataRoutes } from "./volumes.ts";

export function havreRoutes(useCases: UseCases): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/havre/v1/version",
      handle: (exchange) => sendJson(exchange, 200, useCases.host.product()),
    },
    ...auditRoutes(useCases),
    ...execRoutes(useCases),
    ...catalogueRoutes(useCases),
    ...buildRoutes(useCases),
    ...documentRoutes(useCases),
    ...historyRoutes(useCases),
    ...networkAdviceRoutes(useCases),
    ...overviewRoutes(useCases),
    ...portRoutes(useCases),
    ...runRoutes(useCases),
    ...volumeDataRoutes(useCases),
    ...applicationRoutes(useCases),
  ];
}
