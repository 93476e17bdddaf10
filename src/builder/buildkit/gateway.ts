import { HavreError } from "../../base/mod.ts";
import type { Platform } from "../../spec/mod.ts";
import type { ClientBuild, ClientBuilds } from "./builds.ts";
import type { Frontend } from "./frontend.ts";
import { type Handlers, type ServerCall, unary } from "./rpc/server.ts";
import { RpcError } from "./rpc/status.ts";
import { EmptySchema } from "./wire/control.ts";
import {
  PongResponseSchema,
  ReturnRequestSchema,
  SolveRequestSchema,
  SolveResponseSchema,
  WarnRequestSchema,
} from "./wire/gateway.ts";
import { capabilities, workerRecord } from "./worker.ts";

const SERVICE = "/moby.buildkit.v1.frontend.LLBBridge/";
const BUILD_ID = "buildkit-controlapi-buildid";

export interface GatewayParts {
  readonly builds: ClientBuilds;
  readonly frontend: Frontend;
  readonly platform: Platform;
  readonly newId: () => string;
}

/** BuildKit's gateway: a client steers its build, asking frontends and saying in the end what the result is. */
export function gatewayHandlers({ builds, frontend, platform, newId }: GatewayParts): Handlers {
  const buildOf = ({ metadata, signal }: ServerCall): Promise<ClientBuild> => {
    const ref = metadata[BUILD_ID];
    if (typeof ref !== "string") throw new HavreError("invalid-argument", `A call needs the header ${BUILD_ID}`);
    return builds.running(ref, signal);
  };
  const ping = unary(EmptySchema, PongResponseSchema, async () => ({
    ...capabilities(),
    workers: [workerRecord(platform)],
  }));
  const solve = unary(SolveRequestSchema, SolveResponseSchema, async (request, call) => {
    const build = await buildOf(call);
    try {
      const { metadata } = await frontend.solve(build, request.frontend, request.frontendOpt, call.signal);
      // An answer to a question has nothing to export.
      const id = Object.keys(metadata).length === 0 ? newId() : "";
      return { result: { result: { case: "ref" as const, value: { id } }, metadata: { ...metadata } } };
    } catch (error) {
      throw frontend.failed(build, error);
    }
  });
  const finish = unary(ReturnRequestSchema, EmptySchema, async (request, call) => {
    const build = await buildOf(call);
    const { error } = request;
    if (error === undefined) build.returned.resolve();
    else build.returned.reject(build.failure ?? new RpcError(error.code, error.message));
    return {};
  });
  const warn = unary(WarnRequestSchema, EmptySchema, async (warning, call) => {
    const build = await buildOf(call);
    const { digest, level, short, detail, url, info, ranges } = warning;
    build.progress.tell({
      warnings: [{ vertex: digest, level, short, detail, url, ranges, ...(info === undefined ? {} : { info }) }],
    });
    return {};
  });
  return new Map([
    [`${SERVICE}Ping`, ping],
    [`${SERVICE}Solve`, solve],
    [`${SERVICE}Return`, finish],
    [`${SERVICE}Warn`, warn],
  ]);
}
