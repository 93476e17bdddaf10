import { integer, text } from "../../../args/flags.ts";

/** How a container is stopped: flags of `stop` and `restart`. */
export const stoppingFlags = {
  signal: text("Signal to send to the container", { short: "s" }),
  time: integer("Seconds to wait before killing the container", { short: "t" }),
} as const;

export function stoppingQuery(flags: { readonly signal: string; readonly time: number }, changed: ReadonlySet<string>) {
  return { t: changed.has("time") ? flags.time : undefined, signal: flags.signal || undefined };
}
