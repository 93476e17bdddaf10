import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ApiVersion } from "./api-version.ts";
import type { Query } from "./query.ts";

/** One request and the means to answer it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly version: ApiVersion;
  readonly query: Query;
  /** A part of the path, decoded. */
  parameter(name: string): string;
  /** Aborted when the client goes away before the answer is complete. */
  readonly signal: AbortSignal;
  /** Set when the client asked to leave HTTP (`Upgrade`): the connection, and what came after the request. */
  readonly upgrade: { readonly socket: Socket; readonly head: Buffer } | undefined;
}

export type Handler = (exchange: Exchange) => Promise<void> | void;

/** `path` with parameters: `/containers/{name}/json`; `{name...}` may hold slashes. */
export interface Route {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS";
  readonly path: string;
  readonly handle: Handler;
  /** The answer takes over the connection, with or without `Upgrade`. */
  readonly hijacks?: boolean;
}
