/**
 * The daemon's HTTP API from the outside: connections, requests, streams, errors as HavreError.
 *
 * Words: transport (how the daemon is reached), answer, hijack (a connection given over to a process's streams), frame.
 * Owns nothing but its connections. Invariant: loads as little as possible, since every command pays for it.
 */
export * from "./address.ts";
export * from "./api-error.ts";
export * from "./client.ts";
export * from "./frames.ts";
export * from "./lines.ts";
export * from "./socket.ts";
export * from "./transport.ts";
