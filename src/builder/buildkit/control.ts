import { type Clock, HavreError, type Logger } from "../../base/mod.ts";
import type { Platform } from "../../spec/mod.ts";
import { type CacheOption, checkCacheExports } from "../cache/options.ts";
import type { BuildCache } from "../solver/build-cache.ts";
import type { ClientBuild, ClientBuilds } from "./builds.ts";
import { cachePrune, usageRecord } from "./cache-records.ts";
import { checkExporters, type Exporter } from "./exporters.ts";
import type { Frontend } from "./frontend.ts";
import { type Handlers, streaming, unary } from "./rpc/server.ts";
import {
  BuildHistoryEventSchema,
  BuildHistoryRequestSchema,
  DiskUsageRequestSchema,
  DiskUsageResponseSchema,
  EmptySchema,
  InfoResponseSchema,
  ListWorkersResponseSchema,
  PruneRequestSchema,
  type SolveRequest,
  SolveRequestSchema,
  SolveResponseSchema,
  StatusRequestSchema,
  StatusResponseSchema,
  UsageRecordSchema,
} from "./wire/control.ts";
import { VERSION_RECORD, workerRecord } from "./worker.ts";

const SERVICE = "/moby.buildkit.v1.Control/";

export interface ControlParts {
  readonly builds: ClientBuilds;
  readonly frontend: Frontend;
  readonly platform: Platform;
  readonly cache: BuildCache;
  readonly clock: Clock;
  readonly log: Logger;
}

/** BuildKit's Control service: builds begin and end here, and are watched. */
export function controlHandlers({ builds, frontend, platform, cache, clock, log }: ControlParts): Handlers {
  const solve = unary(SolveRequestSchema, SolveResponseSchema, async (request, { signal }) => {
    const build = builds.begin(request.ref, request.session, exportersOf(request), cacheExportsOf(request));
    const stop = () => build.control.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      checkExporters(build.exporters);
      checkCacheExports(build.cacheTo);
      await finished(request, build, frontend);
      return { exporterResponse: build.response };
    } catch (error) {
      throw frontend.failed(build, error);
    } finally {
      signal.removeEventListener("abort", stop);
      build.control.abort(new HavreError("cancelled", "The build is over"));
      builds.end(build);
      log.info("build ended", { ref: build.ref });
    }
  });
  const status = streaming(StatusRequestSchema, StatusResponseSchema, async function* ({ ref }, { signal }) {
    const build = await builds.find(ref, signal);
    yield* build.progress.read(signal);
  });
  const info = unary(EmptySchema, InfoResponseSchema, async () => ({ buildkitVersion: VERSION_RECORD }));
  const workers = unary(EmptySchema, ListWorkersResponseSchema, async () => ({ record: [workerRecord(platform)] }));
  const diskUsage = unary(DiskUsageRequestSchema, DiskUsageResponseSchema, async () => ({
    record: (await cache.list()).map(usageRecord),
  }));
  const prune = streaming(PruneRequestSchema, UsageRecordSchema, async function* (request) {
    const { removed } = await cache.prune(cachePrune(request, clock.now()));
    for (const entry of removed) yield usageRecord(entry);
  });
  const history = streaming(BuildHistoryRequestSchema, BuildHistoryEventSchema, async function* () {});
  return new Map([
    [`${SERVICE}Solve`, solve],
    [`${SERVICE}Status`, status],
    [`${SERVICE}Info`, info],
    [`${SERVICE}ListWorkers`, workers],
    [`${SERVICE}DiskUsage`, diskUsage],
    [`${SERVICE}Prune`, prune],
    [`${SERVICE}ListenBuildHistory`, history],
  ]);
}

/** By the frontend that is named, or by the client itself when it names none. */
async function finished(request: SolveRequest, build: ClientBuild, frontend: Frontend): Promise<void> {
  if (request.frontend === "" && request.definition === undefined) await build.returned.promise;
  else await frontend.solve(build, request.frontend, request.frontendAttrs, build.control.signal);
}

function cacheExportsOf({ cache }: SolveRequest): readonly CacheOption[] {
  return (cache?.exports ?? []).map(({ type, attrs }) => ({ type, attributes: attrs }));
}

function exportersOf({ exporters, exporter, exporterAttrs }: SolveRequest): readonly Exporter[] {
  if (exporters.length > 0) return exporters.map(({ type, attrs }) => ({ type, attributes: attrs }));
  return exporter === "" ? [] : [{ type: exporter, attributes: exporterAttrs }];
}
