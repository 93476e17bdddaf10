import type { Digest } from "../base/mod.ts";
import type { WriteTransaction } from "../store/mod.ts";
import type { RegistryContext } from "./context.ts";
import { noRoom, RegistryFault } from "./fault.ts";
import { type BlobLink, blobLinks, inRepository, manifestRecords } from "./objects.ts";
import type { Room } from "./uploads.ts";

/** After this long a blob that a client is told of counts as new again, unless a manifest holds it. */
const TOLD_AGAIN_MS = 15 * 60_000;

/** Blobs as repositories have them. */
export class Blobs {
  readonly #context: RegistryContext;
  readonly #room: Room;

  constructor(context: RegistryContext, room: Room) {
    this.#context = context;
    this.#room = room;
  }

  /** BLOB_UNKNOWN when the repository does not have it, whoever else does. Manifests are blobs too. */
  find(repository: string, digest: Digest): { readonly digest: Digest; readonly size: number; readonly path: string } {
    const id = inRepository(repository, digest);
    const found = this.#context.store.view((tx) => tx.get(blobLinks, id) ?? tx.get(manifestRecords, id));
    if (!found) throw unknownBlob(digest);
    return { digest, size: found.size, path: this.#context.content.path(digest) };
  }

  /**
   * The same for a client that asks whether to upload it: it is about to name it in a manifest, so that collection must
   * not take it as old meanwhile.
   */
  async tell(repository: string, digest: Digest): Promise<ReturnType<Blobs["find"]>> {
    const found = this.find(repository, digest);
    const id = inRepository(repository, digest);
    const before = this.#context.clock.now() - TOLD_AGAIN_MS;
    const stale = this.#context.store.view((tx) => {
      const link = tx.get(blobLinks, id);
      return link !== undefined && link.since < before && tx.find(manifestRecords, "part", id).length === 0;
    });
    if (stale) {
      await this.#context.store.update((tx) => {
        const link = tx.get(blobLinks, id);
        if (link) tx.put(blobLinks, { ...link, since: this.#context.clock.now() });
      });
    }
    return found;
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

  /** DENIED when a quota has no room for it. */
  link(tx: WriteTransaction, repository: string, digest: Digest, size: number): void {
    const known = tx.get(blobLinks, inRepository(repository, digest));
    if (!known && size > this.#room(repository)) throw noRoom(repository);
    this.adopt(tx, repository, digest, size);
  }

  /** The same for what a mirror fetched, which no quota counts against anybody. */
  adopt(tx: WriteTransaction, repository: string, digest: Digest, size: number): void {
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
