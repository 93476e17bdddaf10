import { HavreError } from "../../base/mod.ts";
import { parseGoBoolean } from "../../spec/mod.ts";
import type { CacheExport } from "./export-cache.ts";

/** Where a cache is: `registry`, `inline` or `local`, and what is said of it (`--cache-from`, `--cache-to`). */
export interface CacheOption {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const TYPES = ["registry", "inline", "local"];

/** `not-implemented` for another place than a registry, a folder or the image; `invalid-argument` for what misses its place. */
export function checkCacheExports(options: readonly CacheOption[]): void {
  for (const { type, attributes } of options) {
    if (!TYPES.includes(type)) throw unknownCache("exporter", type);
    if (type === "registry" && !attributes.ref) {
      throw new HavreError("invalid-argument", "ref is required for registry cache");
    }
    if (type === "local" && !attributes.dest) {
      throw new HavreError("invalid-argument", "dest is required for local cache");
    }
    modeOf(attributes.mode);
  }
}

export function unknownCache(what: "importer" | "exporter", type: string): HavreError {
  return new HavreError("not-implemented", `unknown cache ${what}: ${JSON.stringify(type)}`, {
    hint: `There are ${TYPES.join(", ")}`,
  });
}

/** How much goes into a cache, and what a failure means. */
export function exportWishes({ attributes }: CacheOption): Pick<CacheExport, "mode" | "folders" | "ignoresErrors"> {
  const flag = (name: string, otherwise: boolean) => parseGoBoolean(attributes[name] ?? "") ?? otherwise;
  return {
    mode: modeOf(attributes.mode),
    folders: flag("folders", true),
    ignoresErrors: flag("ignore-error", false),
  };
}

function modeOf(mode: string | undefined): "min" | "max" {
  if (mode === undefined || mode === "" || mode === "min") return "min";
  if (mode === "max") return "max";
  throw new HavreError("invalid-argument", `invalid cache export mode: ${mode}`, { hint: "min or max" });
}
