// Apart from digest.ts: node:crypto takes two milliseconds to load, and the command line only reads digests.
import { createHash, type Hash } from "node:crypto";
import type { Digest } from "./digest.ts";

export function digestOf(data: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
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
