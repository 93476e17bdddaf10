import { parseGrantPattern, parseProfile } from "../policy/mod.ts";
import type { DaemonOptions } from "./options.ts";

/** Reads the words of `--profile` and `--forbid-grant`; `invalid-argument` for one that is none. */
export function policyOptions(settings: {
  readonly profile?: string;
  readonly forbiddenGrants: readonly string[];
}): Pick<DaemonOptions, "profile" | "forbiddenGrants"> {
  return {
    ...(settings.profile === undefined ? {} : { profile: parseProfile(settings.profile) }),
    forbiddenGrants: settings.forbiddenGrants.map(parseGrantPattern),
  };
}
