import type { Digest } from "../base/mod.ts";
import { type Descriptor, formatReference, type Platform, type Reference } from "../spec/mod.ts";
import type { Context } from "./context.ts";
import { imageKind } from "./objects.ts";

export const STATEMENT = "application/vnd.in-toto+json";
export const PREDICATES = {
  provenance: "https://slsa.dev/provenance/v1",
  spdx: "https://spdx.dev/Document",
  cyclonedx: "https://cyclonedx.org/bom",
} as const;

/** How each kind of document is known when it stands alone, beside an image. */
const ARTIFACTS: Readonly<Record<string, string>> = {
  [PREDICATES.provenance]: STATEMENT,
  [PREDICATES.spdx]: "application/spdx+json",
  [PREDICATES.cyclonedx]: "application/vnd.cyclonedx+json",
};

/** Something that is said about an image: how it was built, what is in it. */
export interface Attestation {
  /** What kind of document it is (in-toto's `predicateType`). */
  readonly predicateType: string;
  /** The document: a blob of JSON. */
  readonly document: Descriptor;
  /** It goes into an index with the image, as BuildKit has it, and not only beside it. */
  readonly inIndex: boolean;
}

/** What an image is called and what it is for, for a statement about it. */
export interface Subject {
  readonly reference: Reference;
  readonly platform: Platform;
  /** Of the manifest. */
  readonly digest: Digest;
}

/** The type of an artifact that carries such a document. */
export function artifactType(predicateType: string): string {
  return ARTIFACTS[predicateType] ?? STATEMENT;
}

/** An in-toto statement (in-toto attestation framework, v1): what is said, and of which manifest. */
export function statement(predicateType: string, predicate: unknown, { reference, platform, digest }: Subject): object {
  const { os, architecture, variant } = platform;
  const { domain, path, tag } = reference;
  const name = `pkg:docker/${formatReference({ domain, path })}@${tag ?? digest}`;
  const query = `?platform=${encodeURIComponent([os, architecture, variant].filter(Boolean).join("/"))}`;
  const [algorithm = "sha256", hex = ""] = digest.split(":");
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: `${name}${query}`, digest: { [algorithm]: hex } }],
    predicateType,
    predicate,
  };
}

/** Says something about an image; what was said of the same kind before is replaced. */
export async function attest(context: Context, id: Digest, attestations: readonly Attestation[]): Promise<void> {
  await context.store.update((tx) => {
    const image = tx.get(imageKind, id);
    if (!image) return;
    const replaced = new Set(attestations.map(({ predicateType }) => predicateType));
    const kept = (image.attestations ?? []).filter(({ predicateType }) => !replaced.has(predicateType));
    tx.put(imageKind, { ...image, attestations: [...kept, ...attestations] });
  });
}
