import type { ContentStore } from "../../content/mod.ts";
import type { Artifacts, Distribution } from "../../images/mod.ts";
import type { Platform } from "../../spec/mod.ts";
import type { BuildObserver } from "../build-request.ts";
import type { Builder } from "../builder.ts";
import type { FetchImage } from "../classic/classic-builds.ts";
import type { ClientBuild } from "./builds.ts";
import { ClientCaches } from "./caches.ts";
import { ClientFiles } from "./client-files.ts";
import { Exports } from "./exporters.ts";
import type { FrontendRequest } from "./frontend-options.ts";
import { imageFinder } from "./image-finder.ts";
import { SessionLender } from "./lender.ts";
import type { Session } from "./session.ts";
import { answerSubrequest } from "./subrequests.ts";
import { tellWarnings } from "./warnings.ts";

export interface BuildTools {
  readonly builder: Builder;
  readonly fetch: FetchImage;
  /** Where results are pushed to. */
  readonly distribution: Pick<Distribution, "push">;
  /** For caches at registries. */
  readonly artifacts: Artifacts;
  readonly content: ContentStore;
  readonly platform: Platform;
  readonly newId: () => string;
  /** For sockets; short. */
  readonly run: string;
}

/** Answers to a question; nothing when it was a build. */
export interface Built {
  readonly metadata: Readonly<Record<string, Uint8Array>>;
}

/** Builds what a client asks for, with the files of its session. */
export async function runBuild(
  tools: BuildTools,
  build: ClientBuild,
  request: FrontendRequest,
  session: Session,
  callSignal: AbortSignal,
): Promise<Built> {
  const { progress } = build;
  const signal = AbortSignal.any([callSignal, build.control.signal, session.signal]);
  await using files = new ClientFiles(tools.builder, session, request, progress, signal);
  await using lender = new SessionLender(session, tools.run, tools.newId);
  const definition = await files.definition();
  build.dockerfile = definition.file;
  if (request.subrequest !== undefined) {
    return { metadata: answerSubrequest(request.subrequest, definition, request) };
  }
  const caches = new ClientCaches(tools, build, session, signal);
  const remembered = await caches.open(request);
  const folders = [...request.contexts].filter(([, { kind }]) => kind === "local").map(([name]) => name);
  const asked = {
    dockerfile: definition.file,
    platforms: request.platforms,
    options: { ...request.options, namedContexts: folders, history: "buildkit" as const },
    supplies: { context: (name: string) => files.context(name), lender },
    findImage: imageFinder(tools, session, request, progress),
    ...(request.epoch === undefined ? {} : { epoch: request.epoch }),
    remembered,
    cacheTo: await caches.exports(),
    ...(request.attest
      ? {
          attest: {
            ...request.attest,
            told: (work: () => Promise<void>) => progress.task("exporting attestations", work),
          },
        }
      : {}),
    inlineCache: caches.inline || request.inlineCache,
  };
  const observer: BuildObserver = {
    planned: (graph, dockerfile) => tellWarnings(dockerfile, graph, request, definition, progress),
    event: (event) => progress.event(event),
  };
  await new Exports(tools, build, session, asked, observer, signal).run();
  return { metadata: {} };
}
