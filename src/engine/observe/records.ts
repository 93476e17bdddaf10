import { readFile } from "node:fs/promises";
import { errnoOf } from "../../base/mod.ts";
import type { Observed } from "../../policy/mod.ts";
import { observerEnded } from "../../runtime/mod.ts";
import type { Container } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { hasProcess } from "../lookup.ts";
import { observedPath, observerFolder } from "./observing.ts";

/** What was seen of a container's last run, or so far; undefined: it was not watched. */
export async function observedOf(context: EngineContext, container: Container): Promise<Observed | undefined> {
  if (!hasProcess(container)) await observerEnded(observerFolder(context, container.id));
  try {
    return JSON.parse(await readFile(observedPath(context, container.id), "utf8")) as Observed;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
