import { HavreError, type Logger } from "../../base/mod.ts";
import type { ClientBuild } from "./builds.ts";
import { buildRpcError } from "./failures.ts";
import { readFrontendAttributes } from "./frontend-options.ts";
import type { RpcError } from "./rpc/status.ts";
import { type BuildTools, type Built, runBuild } from "./run-build.ts";
import type { Sessions } from "./session.ts";

/** The frontend `dockerfile.v0`. A `# syntax` directive changes nothing: this is the one there is. */
export class Frontend {
  readonly #tools: BuildTools;
  readonly #sessions: Sessions;
  readonly #log: Logger;

  constructor(tools: BuildTools, sessions: Sessions, log: Logger) {
    this.#tools = tools;
    this.#sessions = sessions;
    this.#log = log;
  }

  /** `not-implemented` for another frontend and for steps that the client made itself. */
  async solve(
    build: ClientBuild,
    frontend: string,
    attributes: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Built> {
    if (frontend !== "dockerfile.v0" && frontend !== "gateway.v0") {
      const what = frontend === "" ? "Steps made by the client" : `The frontend ${frontend}`;
      throw new HavreError("not-implemented", `${what} cannot be solved here`);
    }
    const request = readFrontendAttributes(attributes, this.#tools.platform);
    const session = await this.#sessions.get(build.session, signal);
    return runBuild(this.#tools, build, request, session, signal);
  }

  /** The error as it is told, with all that is known of it. */
  failed(build: ClientBuild, error: unknown): RpcError {
    const told = buildRpcError(error, build.dockerfile);
    this.#log.info("build failed", { ref: build.ref, error: told.message });
    build.failure ??= told;
    return told;
  }
}
