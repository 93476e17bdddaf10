import { HavreError } from "../../base/mod.ts";

export const LOWEST_API = "1.24";
export const HIGHEST_API = "1.47";

/** A version of the Docker Engine API that a request speaks. */
export class ApiVersion {
  readonly text: string;
  readonly #minor: number;

  constructor(text: string) {
    this.text = text;
    this.#minor = Number(text.split(".")[1]);
  }

  /** `version.since(42)`: the request speaks 1.42 or newer. */
  since(minor: number): boolean {
    return this.#minor >= minor;
  }

  before(minor: number): boolean {
    return this.#minor < minor;
  }
}

/** Numbers compared one by one, a missing one being zero. */
function compare(left: string, right: string): number {
  const [a, b] = [left.split(".").map(Number), right.split(".").map(Number)];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] || 0) - (b[index] || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The version in a path, the highest when there is none; `invalid-argument` with Docker's text when it is not served. */
export function parseApiVersion(given: string | undefined): ApiVersion {
  const text = given ?? HIGHEST_API;
  if (compare(text, LOWEST_API) < 0) {
    throw new HavreError(
      "invalid-argument",
      `client version ${text} is too old. Minimum supported API version is ${LOWEST_API}, please upgrade your client to a newer version`,
    );
  }
  if (compare(text, HIGHEST_API) > 0) {
    throw new HavreError(
      "invalid-argument",
      `client version ${text} is too new. Maximum supported API version is ${HIGHEST_API}`,
    );
  }
  return new ApiVersion(text);
}
