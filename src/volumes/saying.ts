import { HavreError, toHavreError } from "../base/mod.ts";

/** Runs `work`; what fails is said to have failed in doing `what`. */
export async function saying<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw described(what, error);
  }
}

/** The same error, said to have happened in doing `what`. */
export function described(what: string, error: unknown): HavreError {
  const known = toHavreError(error);
  const hint = known.hint === undefined ? {} : { hint: known.hint };
  return new HavreError(known.kind, `${what}: ${known.message}`, { cause: error, ...hint });
}
