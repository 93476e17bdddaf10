import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Undoes } from "../../base/mod.ts";
import { OBSERVE_LABEL } from "../../policy/mod.ts";
import { endObserver, startObserver } from "../../runtime/mod.ts";
import type { RuntimeSpec } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import { bundleFolder, containerFolder, type EngineContext } from "../context.ts";

const SHORT_ID = 12;

/** Files of the process that watches a container. */
export const observerFolder = (context: EngineContext, id: string): string =>
  join(bundleFolder(context, id), "observer");

/** What was seen of a container's last run. */
export const observedPath = (context: EngineContext, id: string): string =>
  join(containerFolder(context, id), "observed.json");

export function isObserved({ spec }: Pick<Container, "spec">): boolean {
  const asked = spec.config.Labels[OBSERVE_LABEL];
  return asked !== undefined && asked !== "" && asked !== "false";
}

/** The specification of a container under observation, whose observer is started; of any other as it is. */
export async function underObservation(
  context: EngineContext,
  container: Container,
  spec: RuntimeSpec,
  undoes: Undoes,
): Promise<RuntimeSpec> {
  const { id } = container;
  // What an earlier run did says nothing of this one.
  rmSync(observedPath(context, id), { force: true });
  const { observer } = context.config;
  if (!isObserved(container) || observer === undefined) return spec;
  const folder = observerFolder(context, id);
  undoes.add(() => endObserver(folder));
  return startObserver({
    program: observer,
    folder,
    socket: join(dirname(context.config.paths.bundles), `observe-${id.slice(0, SHORT_ID)}.sock`),
    record: observedPath(context, id),
    spec,
  });
}
