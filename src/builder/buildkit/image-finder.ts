import { HavreError, toHavreError } from "../../base/mod.ts";
import type { OnProgress } from "../../images/mod.ts";
import { parseReference } from "../../spec/mod.ts";
import type { BuildRequest } from "../build-request.ts";
import type { FetchImage } from "../classic/classic-builds.ts";
import { contextName } from "../dockerfile/context-name.ts";
import { credentialsFor } from "./credentials.ts";
import type { FrontendRequest } from "./frontend-options.ts";
import { fullName } from "./full-name.ts";
import type { Progress, Task } from "./progress.ts";
import type { BuildTools } from "./run-build.ts";
import type { Session } from "./session.ts";

/** Finds images, each once, and says so; a name may stand for another image. */
export function imageFinder(
  tools: BuildTools,
  session: Session,
  request: FrontendRequest,
  progress: Progress,
): BuildRequest["findImage"] {
  const known = new Map<string, ReturnType<FetchImage>>();
  return (name, platform, stop) => {
    const named = request.contexts.get(contextName(name));
    const reference = named?.kind === "image" ? named.reference : name;
    const key = JSON.stringify([reference, platform]);
    const image =
      known.get(key) ??
      progress.task(`[internal] load metadata for ${fullName(reference)}`, async (task) => {
        try {
          const { domain } = parseReference(reference);
          const credentials = await credentialsFor(session, domain, stop);
          const found = await tools.fetch(reference, platform, {
            pull: request.pull,
            credentials: () => credentials,
            progress: tellLayers(task),
            signal: stop,
          });
          return { ...found, name: fullName(reference) };
        } catch (error) {
          const { kind, message, hint } = toHavreError(error);
          const text = `${name}: failed to resolve source metadata for ${fullName(reference)}: ${message}`;
          throw new HavreError(kind, text, { cause: error, ...(hint === undefined ? {} : { hint }) });
        }
      });
    known.set(key, image);
    return image;
  };
}

/** Layers on their way from or to a registry, as statuses of the task. */
export function tellLayers(task: Task): OnProgress {
  return ({ id, status, progressDetail }) => {
    if (id === undefined) return;
    const { current = 0, total = 0 } = progressDetail ?? {};
    task.progress(id, current, total, /complete|exists|pushed/i.test(status ?? ""));
  };
}
