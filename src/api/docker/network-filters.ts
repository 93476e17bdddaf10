import { HavreError } from "../../base/mod.ts";
import type { NetworkInfo } from "../../networks/mod.ts";
import type { Filters } from "./filters.ts";

const ACCEPTED = ["dangling", "driver", "id", "label", "name", "scope", "type"];
const BUILTIN = ["bridge", "host", "none"];

/** `filters` of `GET /networks`. */
export function selectNetworks(networks: readonly NetworkInfo[], filters: Filters): readonly NetworkInfo[] {
  filters.validate(ACCEPTED);
  const dangling = danglingOf(filters);
  const types = filters.values("type");
  for (const type of types) {
    if (type !== "builtin" && type !== "custom")
      throw new HavreError("invalid-argument", `invalid filter: 'type'='${type}'`);
  }
  const typeOf = ({ name }: NetworkInfo) => (BUILTIN.includes(name) ? "builtin" : "custom");
  return networks.filter(
    (network) =>
      filters.matchesExactly("driver", network.driver) &&
      (!filters.has("name") || filters.values("name").some((name) => network.name.includes(name))) &&
      filters.matchesStart("id", network.id) &&
      filters.matchesExactly("scope", network.scope) &&
      filters.matchesPairs("label", network.labels) &&
      // Those that every host has are never dangling (Docker's).
      (dangling !== true || (typeOf(network) === "custom" && network.endpoints.size === 0)) &&
      (dangling !== false || typeOf(network) === "builtin" || network.endpoints.size > 0) &&
      (types.length === 0 || types.includes(typeOf(network))),
  );
}

/** Docker has other words for it here than elsewhere, and takes one value alone. */
function danglingOf(filters: Filters): boolean | undefined {
  const [value, ...more] = filters.values("dangling");
  if (value === undefined) return undefined;
  if (more.length > 0) throw new HavreError("invalid-argument", `got more than one value for filter key "dangling"`);
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new HavreError(
    "invalid-argument",
    `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
  );
}
