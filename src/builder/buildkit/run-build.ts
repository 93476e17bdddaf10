import type { Platform } from "../../spec/mod.ts";
import type { Builder, BuildObserver, BuildRequest, BuildResult } from "../builder.ts";
import type { FetchImage } from "../classic/classic-builds.ts";
import type { ClientBuild } from "./builds.ts";
import { ClientFiles } from "./client-files.ts";
import { exportFiles, makesImage } from "./exporters.ts";
import type { FrontendRequest } from "./frontend-options.ts";
import { fullName } from "./full-name.ts";
import { SessionLender } from "./lender.ts";
import type { Progress } from "./progress.ts";
import type { Session } from "./session.ts";
import { answerSubrequest } from "./subrequests.ts";
import { tellWarnings } from "./warnings.ts";

export interface BuildTools {
  readonly builder: Builder;
  readonly fetch: FetchImage;
  readonly platform: Platform;
  readonly newId: () => string;
  /** For sockets; short. */
  readonly run: string;
}

/** What a build comes to. */
export interface Built {
  /** undefined: its files went elsewhere, or it was a question only. */
  readonly result: BuildResult | undefined;
  /** Answers to a question. */
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
    return { result: undefined, metadata: answerSubrequest(request.subrequest, definition, request) };
  }
  const folders = [...request.contexts].filter(([, { kind }]) => kind === "local").map(([name]) => name);
  const asked: BuildRequest = {
    dockerfile: definition.file,
    options: { ...request.options, namedContexts: folders, history: "buildkit" },
    supplies: { context: (name) => files.context(name), lender },
    findImage: imageFinder(tools, request, progress, signal),
    names: build.names,
    keepSteps: false,
    ...(request.epoch === undefined ? {} : { epoch: request.epoch }),
  };
  const observer: BuildObserver = {
    planned: (graph, dockerfile) => tellWarnings(dockerfile, graph, request, definition, progress),
    event: (event) => progress.event(event),
  };
  if (makesImage(build)) return { result: await tools.builder.build(asked, observer, signal), metadata: {} };
  await tools.builder.buildFiles(asked, observer, (folder) => exportFiles(build, session, folder, signal), signal);
  return { result: undefined, metadata: {} };
}

/** Finds images, each once, and says so; a name may stand for another image. */
function imageFinder(
  tools: BuildTools,
  request: FrontendRequest,
  progress: Progress,
  signal: AbortSignal,
): BuildRequest["findImage"] {
  const known = new Map<string, ReturnType<FetchImage>>();
  return (name, platform) => {
    const named = request.contexts.get(name.toLowerCase());
    const reference = named?.kind === "image" ? named.reference : name;
    const image =
      known.get(reference) ??
      progress.task(`[internal] load metadata for ${fullName(reference)}`, async () => {
        const found = await tools.fetch(reference, platform, {
          pull: request.pull,
          credentials: () => ({}),
          progress: () => {},
          signal,
        });
        return { ...found, name: fullName(reference) };
      });
    known.set(reference, image);
    return image;
  };
}
