import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock, Logger } from "../../base/mod.ts";
import { ClientBuilds } from "./builds.ts";
import { controlHandlers } from "./control.ts";
import { Frontend } from "./frontend.ts";
import { gatewayHandlers } from "./gateway.ts";
import { RpcServer } from "./rpc/server.ts";
import type { BuildTools } from "./run-build.ts";
import { Sessions } from "./session.ts";

export interface BuildkitHost extends BuildTools {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Serves BuildKit's clients on connections that were taken out of HTTP. One for each daemon. */
export class BuildkitService {
  readonly #sessions = new Sessions();
  readonly #control: RpcServer;

  constructor(host: BuildkitHost) {
    const { clock, newId, platform, log } = host;
    const builds = new ClientBuilds(clock, newId);
    const frontend = new Frontend(host, this.#sessions, log);
    this.#control = new RpcServer(
      new Map([
        ...controlHandlers({ builds, frontend, platform, cache: host.builder.cache, clock, log }),
        ...gatewayHandlers({ builds, frontend, platform, newId }),
      ]),
    );
  }

  /** A client that calls us. Resolves when the connection is over. */
  control(socket: Duplex): Promise<void> {
    return this.#control.serve(socket);
  }

  /** A client that is called by us. Resolves when the connection is over. */
  session(socket: Duplex, headers: IncomingHttpHeaders): Promise<void> {
    return this.#sessions.serve(socket, headers);
  }
}
