import { type Digest, digestAlgorithm, digestHex, isDigest } from "../base/mod.ts";
import { type Descriptor, type Index, mediaTypes } from "../spec/mod.ts";
import type { RegistryContext } from "./context.ts";
import type { Manifests } from "./manifests.ts";
import { descriptorOf, inRepository, manifestRecords, tagId, tagRecords } from "./objects.ts";

/** What refers to a manifest by `subject` (distribution specification, § Listing Referrers). */
export class Referrers {
  readonly #context: RegistryContext;
  readonly #manifests: Manifests;

  constructor(context: RegistryContext, manifests: Manifests) {
    this.#context = context;
    this.#manifests = manifests;
  }

  /** An index, empty when nothing refers to it: whether the subject itself is here does not matter. */
  async list(repository: string, subject: Digest, artifactType: string | undefined): Promise<Index> {
    const known = this.#context.store.view((tx) =>
      tx.find(manifestRecords, "subject", inRepository(repository, subject)).map(descriptorOf),
    );
    const seen = new Set(known.map(({ digest }) => digest));
    const older = (await this.#fallback(repository, subject)).filter(({ digest }) => !seen.has(digest));
    const manifests = [...known, ...older].filter((one) => !artifactType || one.artifactType === artifactType);
    return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  }

  /** What clients listed under the fallback tag `algorithm-hex`, for registries that know no referrers. */
  async #fallback(repository: string, subject: Digest): Promise<readonly Descriptor[]> {
    const tag = `${digestAlgorithm(subject)}-${digestHex(subject)}`;
    const record = this.#context.store.view((tx) => {
      const target = tx.get(tagRecords, tagId(repository, tag))?.digest;
      return target && tx.get(manifestRecords, inRepository(repository, target));
    });
    if (record?.mediaType !== mediaTypes.ociIndex) return [];
    const index = JSON.parse(Buffer.from(await this.#manifests.bytes(record)).toString("utf8")) as Index;
    return index.manifests.filter(({ digest }) => isDigest(digest));
  }
}
