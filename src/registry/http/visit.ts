import type { Caller } from "../access/access.ts";
import type { Actor } from "../context.ts";
import type { RegistryRequest } from "./exchange.ts";

/** What one request turns out to be while it is answered: for the audit log and the metrics. */
export interface Visit {
  kind: string;
  caller?: Caller;
  /** The word of the audit log; undefined: not worth a line. */
  action?: string;
  repository?: string;
  reference?: string;
}

export function actorOf(request: RegistryRequest, caller: Caller): Actor {
  return {
    ...(caller.name === undefined ? {} : { name: caller.name }),
    remote: request.remote,
    host: request.header("host") ?? "",
    method: request.method,
    agent: request.header("user-agent") ?? "",
  };
}
