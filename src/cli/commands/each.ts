import { isHavreError } from "../../base/mod.ts";
import type { Context } from "../context.ts";

/** As many at once as Docker's client does. */
const AT_ONCE = 50;

/**
 * Does the same to every name, many at once, and prints each name in the order given; failures go to standard error
 * and make the exit code 1.
 */
export async function forEach(
  context: Context,
  names: readonly string[],
  work: (name: string) => Promise<string | undefined>,
): Promise<number> {
  const results = names.map(() => Promise.withResolvers<string | undefined>());
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < names.length; at = next++) {
      const result = results[at];
      await work(names[at] ?? "").then(result?.resolve, result?.reject);
    }
  };
  for (const { promise } of results) promise.catch(() => {});
  for (let count = 0; count < Math.min(AT_ONCE, names.length); count++) void worker();
  let failures = 0;
  for (const { promise } of results) {
    try {
      const line = await promise;
      if (line !== undefined) context.out.line(line);
    } catch (error) {
      if (!isHavreError(error)) throw error;
      context.err.line(error.message);
      if (error.hint !== undefined) context.err.line(error.hint);
      failures++;
    }
  }
  return failures === 0 ? 0 : 1;
}
