import type { Image } from "../images/mod.ts";
import type { Entry } from "./entry.ts";

/** What there is of an entry on this machine. */
export interface CatalogueItem {
  readonly entry: Entry;
  readonly reference: string;
  readonly image: Image | undefined;
  /** `missing`, made of the text as it is, or of an older one. */
  readonly state: "missing" | "current" | "stale";
}
