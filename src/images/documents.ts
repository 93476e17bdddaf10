import { type Digest, HavreError } from "../base/mod.ts";
import { mediaTypes, parseReference, type Reference } from "../spec/mod.ts";
import { readForeignColumn } from "../store/mod.ts";
import { artifactType, attest, PREDICATES, STATEMENT } from "./attestations.ts";
import type { Context } from "./context.ts";
import type { ImageObject } from "./objects.ts";
import { MAX_DOCUMENT, parseJson, parseManifest } from "./parse.ts";
import { referrersOf } from "./push/companions.ts";
import type { Credentials } from "./registry/credentials.ts";
import type { Registries } from "./registry/registry.ts";
import type { RemoteRepository } from "./registry/remote-repository.ts";
import { familiar, resolveImage, tagsOf } from "./resolve.ts";
import { cyclonedx } from "./sbom/cyclonedx.ts";
import type { Inventory } from "./sbom/package.ts";
import { scanTree } from "./sbom/scan.ts";
import { spdx } from "./sbom/spdx.ts";
import { createdAt } from "./view.ts";

export type DocumentKind = keyof typeof PREDICATES;

/** Something that is known about an image, and where from. */
export interface ImageDocument {
  readonly value: unknown;
  /** It is kept with the image here; its registry has it; or it was made now. */
  readonly from: "image" | "registry" | "made now";
}

/** What is said about images: how they were built, what is in them. */
export interface Documents {
  /**
   * How an image was built (SLSA provenance), or what is in it as a bill of materials. A bill is made where there is none;
   * provenance cannot be: `not-found`.
   */
  about(
    name: string,
    kind: DocumentKind,
    credentials: (registry: string) => Credentials,
    signal: AbortSignal,
  ): Promise<ImageDocument>;
  /** Keeps documents with an image, to go along when it is pushed; `inIndex`: as BuildKit has them, too. */
  attach(
    id: Digest,
    documents: readonly { readonly kind: DocumentKind; readonly value: unknown }[],
    inIndex: boolean,
  ): Promise<void>;
  /** Bills of materials of an image that is here, of each of these kinds. */
  bills(
    id: Digest,
    name: string,
    kinds: readonly Exclude<DocumentKind, "provenance">[],
    signal: AbortSignal,
  ): Promise<readonly { readonly kind: DocumentKind; readonly value: object }[]>;
}

export class ImageDocuments implements Documents {
  readonly #context: Context;
  readonly #registries: Registries;

  constructor(context: Context, registries: Registries) {
    this.#context = context;
    this.#registries = registries;
  }

  async about(
    name: string,
    kind: DocumentKind,
    credentials: (registry: string) => Credentials,
    signal: AbortSignal,
  ): Promise<ImageDocument> {
    const { content, store } = this.#context;
    const { image, names } = store.view((tx) => {
      const found = resolveImage(tx, name);
      return { image: found, names: tagsOf(tx, found.id) };
    });
    const own = image.attestations?.find(({ predicateType }) => predicateType === PREDICATES[kind]);
    if (own) {
      const bytes = await content.read(own.document.digest, own.document.size);
      return { value: parseJson(bytes, `Document ${own.document.digest}`), from: "image" };
    }
    // Only what came from a registry, or went to one, has a name with a digest.
    for (const { id, digest } of names) {
      if (digest === undefined) continue;
      const value = await this.#atRegistry(parseReference(id), image, kind, credentials, signal);
      if (value !== undefined) return { value, from: "registry" };
    }
    if (kind === "provenance") {
      throw new HavreError("not-found", `Nothing is said about how ${name} was built`, {
        hint: "Say it when it is built: havre build --provenance",
      });
    }
    const shown = names.find(({ tag }) => tag !== undefined) ?? names[0];
    const [bill] = await this.bills(image.id, shown ? familiar(shown) : image.id, [kind], signal);
    return { value: bill?.value, from: "made now" };
  }

  async attach(
    id: Digest,
    documents: readonly { readonly kind: DocumentKind; readonly value: unknown }[],
    inIndex: boolean,
  ): Promise<void> {
    const { content } = this.#context;
    using _hold = content.hold();
    const attestations = [];
    for (const { kind, value } of documents) {
      const { digest, size } = await content.put(Buffer.from(JSON.stringify(value)));
      const document = { mediaType: artifactType(PREDICATES[kind]), digest, size };
      attestations.push({ predicateType: PREDICATES[kind], document, inIndex });
    }
    await attest(this.#context, id, attestations);
  }

  async bills(
    id: Digest,
    name: string,
    kinds: readonly Exclude<DocumentKind, "provenance">[],
    signal: AbortSignal,
  ): Promise<readonly { readonly kind: DocumentKind; readonly value: object }[]> {
    if (kinds.length === 0) return [];
    const { store, snapshots } = this.#context;
    const image = store.view((tx) => resolveImage(tx, id));
    const inventory = await snapshots.withView(image.chain.at(-1), (root) => scanTree(root, readForeignColumn, signal));
    const subject = { name, version: id, at: createdAt(image) ?? 0 };
    return kinds.map((kind) => ({ kind, value: WRITERS[kind](inventory, subject) }));
  }

  /** From the artifacts that refer to a manifest, or the statements that stand in an index with it. */
  async #atRegistry(
    reference: Reference,
    image: ImageObject,
    kind: DocumentKind,
    credentials: (registry: string) => Credentials,
    signal: AbortSignal,
  ): Promise<unknown> {
    const digests = new Set(image.manifests.map(({ descriptor }) => descriptor.digest));
    try {
      return await this.#registries.withRepository(
        reference,
        credentials(reference.domain),
        false,
        async (repository) => {
          for (const digest of digests) {
            const found = await readReferrer(repository, digest, kind, signal);
            if (found !== undefined) return found;
          }
          return undefined;
        },
      );
    } catch (error) {
      signal.throwIfAborted();
      // A bill can be made without a registry.
      if (kind !== "provenance" && error instanceof HavreError) return undefined;
      throw error;
    }
  }
}

const WRITERS = { spdx, cyclonedx } as const satisfies Record<
  string,
  (inventory: Inventory, subject: Parameters<typeof spdx>[1]) => object
>;

async function readReferrer(
  repository: RemoteRepository,
  subject: Digest,
  kind: DocumentKind,
  signal: AbortSignal,
): Promise<unknown> {
  const predicate = PREDICATES[kind];
  for (const entry of await referrersOf(repository, subject, signal)) {
    const said = entry.annotations?.["in-toto.io/predicate-type"];
    if (said !== undefined ? said !== predicate : entry.artifactType !== artifactType(predicate)) continue;
    if (entry.mediaType !== mediaTypes.ociManifest) continue;
    const { bytes } = await repository.manifest(entry.digest, signal);
    const manifest = parseManifest(parseJson(bytes, `Manifest ${entry.digest}`), `manifest ${entry.digest}`);
    const [layer] = manifest.layers;
    if (!layer) continue;
    const value = parseJson(await repository.smallBlob(layer, MAX_DOCUMENT, signal), `Document ${layer.digest}`);
    if (layer.mediaType !== STATEMENT) return value;
    const { predicateType, predicate: content } = value as Readonly<Record<string, unknown>>;
    if (predicateType === predicate) return content;
  }
  return undefined;
}
