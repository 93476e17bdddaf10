import { HavreError } from "./errors.ts";

/** A content identifier `algorithm:hex` (OCI image specification, descriptor.md § Digests). */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const FORM = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return FORM.test(text);
}

/** Parses a digest; `invalid-argument` when it is not one. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new HavreError("invalid-argument", `invalid digest format: ${JSON.stringify(text)}`);
  return text;
}

/** The hexadecimal part. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

export function digestAlgorithm(digest: Digest): "sha256" | "sha512" {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}
