/** The faces of one daemon on its socket: the Docker Engine API and the native API. Owns no state but the socket file. */
export * from "./docker/mod.ts";
