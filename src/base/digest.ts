import { createHash, type Hash } from "node:crypto";
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

export function digestOf(data: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** The hexadecimal part. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

export function digestAlgorithm(digest: Digest): "sha256" | "sha512" {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** An incremental digest: `update` as bytes come, `digest` once at the end. */
export class Digester {
  readonly #algorithm: "sha256" | "sha512";
  readonly #hash: Hash;
  size = 0;

  constructor(algorithm: "sha256" | "sha512" = "sha256") {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  update(data: Uint8Array): this {
    this.size += data.byteLength;
    this.#hash.update(data);
    return this;
  }

  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest("hex")}` as Digest;
  }
}

/**
 * The identifier of a stack of layers: sha256 over "parent chain id, space, diff id" applied from the lowest
 * (OCI image specification, config.md § Layer ChainID).
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const parent = chain.at(-1);
    chain.push(parent === undefined ? diffId : digestOf(`${parent} ${diffId}`));
  }
  return chain;
}
