/**
 * The builder for BuildKit's clients: `docker build` with buildx, `docker compose build`. They connect twice: to a control service, which
 * is ours, and as a session, where the services are theirs: files of their folders, secrets, agents, where results go.
 *
 * Words: session (a client that offers its services), build (what a client names by a ref of its own), frontend options, exporter,
 * vertex and status (what a client is told while it builds). Owns the sessions and builds that are under way; nothing outlives them.
 * Invariant: a client that goes away ends its build and everything that was begun for it.
 */
export { type BuildkitConnections, lazyBuildkit } from "./lazy.ts";
