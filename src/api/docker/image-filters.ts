import type { ImageFilters } from "../../images/mod.ts";
import type { Filters } from "./filters.ts";
import { parseMoment } from "./relative-time.ts";

const ACCEPTED = ["dangling", "label", "label!", "before", "since", "reference", "until"];

/** `filters` of `GET /images/json`. */
export function imageFilters(filters: Filters, now: number): ImageFilters {
  filters.validate(ACCEPTED);
  const dangling = filters.flag("dangling");
  const labels = [...filters.values("label"), ...filters.values("label!").map((label) => `!${label}`)];
  const [before, since, until] = (["before", "since", "until"] as const).map((name) => filters.values(name)[0]);
  return {
    ...(dangling === undefined ? {} : { dangling }),
    ...(labels.length === 0 ? {} : { labels }),
    ...(filters.has("reference") ? { reference: filters.values("reference") } : {}),
    ...(before === undefined ? {} : { before }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until: parseMoment(until, now) }),
  };
}
