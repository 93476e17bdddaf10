import { HavreError } from "../../base/mod.ts";
import type { VolumeInfo, VolumePruneFilters } from "../../volumes/mod.ts";
import { type Filters, pairMatches } from "./filters.ts";

/** `filters` of `GET /volumes`. */
export function selectVolumes(volumes: readonly VolumeInfo[], filters: Filters): readonly VolumeInfo[] {
  filters.validate(["dangling", "name", "driver", "label"]);
  const dangling = filters.flag("dangling");
  return volumes.filter(
    (volume) =>
      filters.matchesPattern("name", volume.name) &&
      filters.matchesExactly("driver", volume.driver) &&
      filters.matchesPairs("label", volume.labels ?? {}) &&
      (dangling === undefined || dangling === (volume.users.length === 0)),
  );
}

/** `filters` of `POST /volumes/prune`; `everything`: the client is of a time when prune spared no volume. */
export function volumePruneFilters(filters: Filters, everything: boolean): VolumePruneFilters {
  filters.validate(["label", "label!", "all"]);
  const unwanted = filters.values("label!");
  return {
    all: everything || wantsAll(filters),
    fits: (labels) => filters.matchesPairs("label", labels) && !unwanted.some((wanted) => pairMatches(wanted, labels)),
  };
}

function wantsAll(filters: Filters): boolean {
  const values = filters.values("all");
  if (values.length > 1) throw new HavreError("invalid-argument", "invalid filter 'all': only one value is expected");
  const [text] = values;
  if (text === undefined) return false;
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw new HavreError(
    "invalid-argument",
    `invalid filter 'all': strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}
