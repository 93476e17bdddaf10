import type { Digest } from "../base/mod.ts";
import type { WriteTransaction } from "../store/mod.ts";
import type { RegistryContext } from "./context.ts";
import { RegistryFault } from "./fault.ts";
import { type BlobLink, blobLinks, inRepository, manifestRecords } from "./objects.ts";

/** Blobs as repositories have them. */
export class Blobs {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /** BLOB_UNKNOWN when the repository does not have it, whoever else does. Manifests are blobs too. */
  find(repository: string, digest: Digest): { readonly digest: Digest; readonly size: number; readonly path: string } {
    const id = inRepository(repository, digest);
    const found = this.#context.store.view((tx) => tx.get(blobLinks, id) ?? tx.get(manifestRecords, id));
    if (!found) throw unknownBlob(digest);
    return { digest, size: found.size, path: this.#context.content.path(digest) };
  }

  /** Gives a repository a blob that another one has; false when `from` does not have it. */
  async mount(repository: string, from: string, digest: Digest): Promise<boolean> {
    return this.#context.store.update((tx) => {
      const source = tx.get(blobLinks, inRepository(from, digest));
      if (!source) return false;
      this.link(tx, repository, digest, source.size);
      return true;
    });
  }

  /** Repositories that have a blob. */
  holders(digest: Digest): readonly string[] {
    return this.#context.store.view((tx) => tx.find(blobLinks, "digest", digest).map(({ repository }) => repository));
  }

  link(tx: WriteTransaction, repository: string, digest: Digest, size: number): void {
    const link: BlobLink = {
      id: inRepository(repository, digest),
      repository,
      digest,
      size,
      since: this.#context.clock.now(),
    };
    tx.put(blobLinks, link);
  }

  /** Takes a blob from a repository; the bytes go with the next collection, if nobody else has them. */
  async delete(repository: string, digest: Digest): Promise<void> {
    const id = inRepository(repository, digest);
    await this.#context.store.update((tx) => {
      if (!tx.get(blobLinks, id)) throw unknownBlob(digest);
      tx.delete(blobLinks, id);
    });
  }
}

export function unknownBlob(digest: Digest): RegistryFault {
  return new RegistryFault("BLOB_UNKNOWN", "blob unknown to registry", { detail: digest });
}
