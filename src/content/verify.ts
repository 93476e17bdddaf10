import { type Digester, HavreError } from "../base/mod.ts";
import type { BlobInfo, Expected } from "./content.ts";

/** What was digested, if it is what was promised; else `data-loss`. */
export function verified(digester: Digester, expected: Expected): BlobInfo {
  const { size } = digester;
  if (expected.size !== undefined && size !== expected.size) {
    throw mismatch(expected, `${size} bytes came instead of ${expected.size}`);
  }
  const digest = digester.digest();
  if (expected.digest !== undefined && digest !== expected.digest) {
    throw mismatch(expected, `the bytes that came have the digest ${digest}`);
  }
  return { digest, size };
}

export function mismatch(expected: Expected, what: string): HavreError {
  const subject = expected.digest === undefined ? "A blob" : `Blob ${expected.digest}`;
  return new HavreError("data-loss", `${subject} is not what was promised: ${what}`, {
    hint: "The transfer was damaged or its source is wrong: try again",
  });
}
