import { HavreError } from "../../base/mod.ts";

/** A request that cannot be granted, in Docker's own words where Docker has some. */
export function refuse(message: string, hint?: string): HavreError {
  return new HavreError("invalid-argument", message, hint === undefined ? {} : { hint });
}

/** Go's `%q` for the plain text that ends up in these messages. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
