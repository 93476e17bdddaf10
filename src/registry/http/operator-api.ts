import { toHavreError } from "../../base/mod.ts";
import { RegistryFault } from "../fault.ts";
import type { CollectProgress } from "../upkeep/collect.ts";
import type { Upkeep } from "../upkeep/upkeep.ts";
import type { Answer, RegistryRequest } from "./exchange.ts";

export const OPERATOR_PREFIX = "/havre/v1/registry/";
/** How often progress is told. */
const TELL_EVERY_MS = 200;

/** What operators ask of a running registry, answered with a line of JSON for each step; the last has `done` or `error`. */
export class OperatorApi {
  readonly #upkeep: Upkeep;

  constructor(upkeep: Upkeep) {
    this.#upkeep = upkeep;
  }

  /** `tell`: once it is over, what came of it. */
  answer({ method, path, query }: RegistryRequest, tell: (action: string, result: object) => void): Answer {
    const dryRun = query.get("dry-run") === "true";
    const grace = query.get("grace");
    if (method !== "POST") throw new RegistryFault("UNSUPPORTED", `${method} is not supported here`);
    if (grace !== null && !/^\d{1,12}$/.test(grace)) {
      throw new RegistryFault("UNSUPPORTED", "grace is a number of milliseconds", { status: 400 });
    }
    switch (path.slice(OPERATOR_PREFIX.length)) {
      case "collect": {
        const options = { dryRun, ...(grace === null ? {} : { graceMs: Number(grace) }) };
        return lines(this.#collect(options, tell));
      }
      case "retain":
        return lines(this.#retain(dryRun, tell));
      default:
        throw new RegistryFault("UNSUPPORTED", "there is nothing at this path", { status: 404 });
    }
  }

  async *#collect(
    options: { readonly dryRun: boolean; readonly graceMs?: number },
    tell: (action: string, result: object) => void,
  ): AsyncGenerator<object> {
    let told = 0;
    let links = 0;
    let last: CollectProgress | undefined;
    for await (const progress of this.#upkeep.collect(options)) {
      last = progress;
      if (progress.phase === "repositories") links = progress.removed;
      if (Date.now() - told < TELL_EVERY_MS) continue;
      told = Date.now();
      yield progress;
    }
    const done = { unlinked: links, removed: last?.removed ?? 0, freed: last?.freed ?? 0, dryRun: options.dryRun };
    tell("collect", done);
    yield { done };
  }

  async *#retain(dryRun: boolean, tell: (action: string, result: object) => void): AsyncGenerator<object> {
    let [kept, removed] = [0, 0];
    for await (const one of this.#upkeep.retain({ dryRun })) {
      if (one.keep) kept++;
      else removed++;
      yield one;
    }
    const done = { kept, removed, dryRun };
    tell("retain", done);
    yield { done };
  }
}

function lines(objects: AsyncIterable<object>): Answer {
  return {
    status: 200,
    headers: { "content-type": "application/x-ndjson" },
    body: { chunks: written(objects) },
  };
}

async function* written(objects: AsyncIterable<object>): AsyncGenerator<string> {
  try {
    for await (const object of objects) yield `${JSON.stringify(object)}\n`;
  } catch (error) {
    yield `${JSON.stringify({ error: toHavreError(error).message })}\n`;
  }
}
