import { HavreError } from "../../base/mod.ts";
import type { PruneFilters } from "../../engine/mod.ts";
import type { Filters } from "./filters.ts";
import { parseMoment } from "./relative-time.ts";

/** `until`, `label` and `label!` of a prune request. */
export function pruneFilters(filters: Filters, now: number): PruneFilters {
  const until = filters.values("until");
  if (until.length > 1) throw new HavreError("invalid-argument", "more than one until filter specified");
  const [moment] = until;
  return {
    labels: [...filters.values("label"), ...filters.values("label!").map((label) => `!${label}`)],
    ...(moment === undefined ? {} : { until: parseMoment(moment, now) }),
  };
}
