import type { Digest } from "../base/mod.ts";
import type { ReadTransaction, WriteTransaction } from "../store/mod.ts";
import type { RegistryContext } from "./context.ts";
import { RegistryFault } from "./fault.ts";
import { blobLinks, manifestRecords, type TagRecord, tagId, tagRecords } from "./objects.ts";

/** How many earlier targets of a tag are remembered. */
const HISTORY = 100;

/** True when a tag that exists may not be pointed elsewhere. */
export type Immutable = (repository: string, tag: string) => boolean;

/** Tags of repositories, and the list of repositories. */
export class Tags {
  readonly #context: RegistryContext;
  readonly #immutable: Immutable;

  constructor(context: RegistryContext, immutable: Immutable) {
    this.#context = context;
    this.#immutable = immutable;
  }

  /** Names in byte order. NAME_UNKNOWN when nothing is known of the repository. */
  list(repository: string): readonly string[] {
    return this.#context.store.view((tx) => {
      const names = tx.find(tagRecords, "repository", repository).map(({ name }) => name);
      if (names.length === 0 && !isKnown(tx, repository)) throw unknownRepository(repository);
      return names.sort();
    });
  }

  records(repository: string): readonly TagRecord[] {
    return this.#context.store.view((tx) => tx.find(tagRecords, "repository", repository));
  }

  /** Repositories that hold something, in byte order. */
  repositories(): readonly string[] {
    return this.#context.store.view((tx) => {
      const names = new Set(tx.list(manifestRecords).map(({ repository }) => repository));
      return [...names].sort();
    });
  }

  checkMove(tx: ReadTransaction, repository: string, tag: string, digest: Digest): void {
    const known = tx.get(tagRecords, tagId(repository, tag));
    if (!known || known.digest === digest || !this.#immutable(repository, tag)) return;
    throw new RegistryFault("DENIED", `tag ${tag} of ${repository} is immutable: it stays ${known.digest}`, {
      status: 409,
      detail: { tag, digest: known.digest },
    });
  }

  move(tx: WriteTransaction, repository: string, tag: string, digest: Digest, by: string | undefined): void {
    this.checkMove(tx, repository, tag, digest);
    const id = tagId(repository, tag);
    const known = tx.get(tagRecords, id);
    if (known?.digest === digest) return;
    const at = this.#context.clock.now();
    const change = { digest, at, ...(by === undefined ? {} : { by }) };
    const history = [...(known?.history ?? []), change].slice(-HISTORY);
    tx.put(tagRecords, { id, repository, name: tag, digest, at, history });
  }

  /** MANIFEST_UNKNOWN; DENIED for an immutable one, unless `force`. Returns what it pointed to. */
  remove(tx: WriteTransaction, repository: string, tag: string, force: boolean): Digest {
    const known = tx.get(tagRecords, tagId(repository, tag));
    if (!known) throw new RegistryFault("MANIFEST_UNKNOWN", "manifest unknown", { detail: { Tag: tag } });
    if (!force && this.#immutable(repository, tag)) {
      throw new RegistryFault("DENIED", `tag ${tag} of ${repository} is immutable`, { status: 409, detail: { tag } });
    }
    tx.delete(tagRecords, known.id);
    return known.digest;
  }
}

function isKnown(tx: ReadTransaction, repository: string): boolean {
  return (
    tx.find(manifestRecords, "repository", repository).length > 0 ||
    tx.find(blobLinks, "repository", repository).length > 0
  );
}

export function unknownRepository(repository: string): RegistryFault {
  return new RegistryFault("NAME_UNKNOWN", "repository name not known to registry", { detail: { name: repository } });
}
