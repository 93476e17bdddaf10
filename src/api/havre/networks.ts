import { sendJson } from "../docker/answers.ts";
import type { Route } from "../docker/exchange.ts";
import type { UseCases } from "../docker/use-cases.ts";

/** What each kind of network costs on this host. */
export function networkAdviceRoutes({ networkAdvice }: UseCases): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/havre/v1/network-advice",
      handle: async (exchange) => sendJson(exchange, 200, await networkAdvice.measure(exchange.signal)),
    },
  ];
}
