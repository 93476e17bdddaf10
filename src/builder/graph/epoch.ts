import { HavreError } from "../../base/mod.ts";

/** `SOURCE_DATE_EPOCH` of the build arguments: given in seconds, here milliseconds. `invalid-argument`. */
export function epochOf({ SOURCE_DATE_EPOCH: text }: Readonly<Record<string, string>>): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  throw new HavreError("invalid-argument", `invalid SOURCE_DATE_EPOCH: ${text}`, { hint: "Give seconds since 1970" });
}
