import { HavreError } from "../base/mod.ts";

/** By id, name or unambiguous id prefix, in that order; `not-found` and `invalid-argument` with Docker's texts. */
export function findNetwork<T extends { readonly id: string; readonly name: string }>(
  networks: readonly T[],
  ref: string,
): T {
  const exact = networks.find(({ id }) => id === ref) ?? networks.find(({ name }) => name === ref);
  if (exact) return exact;
  const matches = ref === "" ? [] : networks.filter(({ id }) => id.startsWith(ref));
  if (matches.length > 1)
    throw new HavreError(
      "invalid-argument",
      `network ${ref} is ambiguous (${matches.length} matches found on ID prefix)`,
    );
  const [match] = matches;
  if (!match) throw new HavreError("not-found", `network ${ref} not found`);
  return match;
}
