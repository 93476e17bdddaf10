/**
 * The Docker Engine API, 1.24 to 1.47, on a unix socket: parse, call one use-case, write.
 *
 * Words: exchange (one request and the means to answer it), route, projection (an object of the engine as Docker's JSON), hijack (a
 * connection taken out of HTTP for a process's streams).
 * Owns the socket file. Invariants: no handler's failure ends the daemon; a client that goes away stops the work it asked for.
 */
export { HIGHEST_API, LOWEST_API } from "./api-version.ts";
export { type ApiServer, createApiServer, type ListenOptions } from "./server.ts";
export type { Commits, Host, HostInfo, Placement, Product, UseCases } from "./use-cases.ts";
