import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import type { BuildkitHost, BuildkitService } from "./service.ts";

/** Connections of BuildKit's clients that were taken out of HTTP; each resolves when its connection is over. */
export interface BuildkitConnections {
  control(socket: Duplex): Promise<void>;
  session(socket: Duplex, headers: IncomingHttpHeaders): Promise<void>;
}

/** Serves BuildKit's clients; what that takes is loaded when the first one comes. */
export function lazyBuildkit(host: BuildkitHost): BuildkitConnections {
  let service: Promise<BuildkitService> | undefined;
  const load = () => {
    service ??= import("./service.ts").then(({ BuildkitService }) => new BuildkitService(host));
    return service;
  };
  return {
    control: async (socket) => (await load()).control(socket),
    session: async (socket, headers) => (await load()).session(socket, headers),
  };
}
