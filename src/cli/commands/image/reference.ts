import { HavreError, isHavreError } from "../../../base/mod.ts";
import { parseReference, type Reference } from "../../../spec/mod.ts";

/** The name an image is to get; `invalid-argument` with Docker's words. */
export function parseTarget(text: string): Reference {
  try {
    return parseReference(text);
  } catch (error) {
    if (!isHavreError(error)) throw error;
    throw new HavreError(
      error.kind,
      `Error parsing reference: ${JSON.stringify(text)} is not a valid repository/tag: ${error.message}`,
      error.hint === undefined ? { cause: error } : { cause: error, hint: error.hint },
    );
  }
}
