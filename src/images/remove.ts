import { type Digest, HavreError, shortId } from "../base/mod.ts";
import { familiarReference, parseKeepTime, parseReference, type Reference, withDefaultTag } from "../spec/mod.ts";
import type { ReadTransaction, WriteTransaction } from "../store/mod.ts";
import type { Context } from "./context.ts";
import { imageEvent } from "./events.ts";
import type { ImageEvent, ImageUsers, RemoveResult } from "./images.ts";
import { forgetLayers } from "./keeper.ts";
import { type ImageObject, imageKind, type TagObject, tagKind } from "./objects.ts";
import { clearTag } from "./record.ts";
import { childrenOf, familiar, isIdPrefix, repositoryKey, resolveImage, tagKey, tagsOf } from "./resolve.ts";

export interface RemoveOptions {
  /** Stopped containers and further names do not stand in the way. */
  readonly force: boolean;
  /** Remove parents too that nothing names or uses. */
  readonly prune: boolean;
  /** Milliseconds that it can come back by a rollback. Default: what its label says, else as long as all images. */
  readonly keep?: number;
}

/** On an image: how long it can come back when it is removed: `72h`, `30d`, `0` for not at all. What is no time counts for nothing. */
const KEEP_LABEL = "havre.image.keep";

/**
 * `docker rmi`. By a name: takes the name away, and the image with its last one. By id: takes the image away with its
 * name, when it has one only. `conflict` with Docker's texts otherwise.
 */
export async function removeImage(context: Context, nameOrId: string, options: RemoveOptions): Promise<RemoveResult[]> {
  const { results, gone, events } = await context.store.update((tx) => {
    const removal = new Removal(tx, context, options);
    removal.run(nameOrId);
    return removal;
  });
  for (const event of events) context.emit(event);
  return withLayers(context, results, gone);
}

/** Frees what the removal left over, and says so image by image as Docker does: top layer first. */
async function withLayers(
  context: Context,
  results: readonly RemoveResult[],
  gone: readonly ImageObject[],
): Promise<RemoveResult[]> {
  if (gone.length === 0) return [...results];
  const freed = new Set((await context.keeper.collect()).layers);
  return results.flatMap((result) => {
    const image = gone.find(({ id }) => id === result.deleted);
    if (!image) return [result];
    // A layer of several that went stands behind the last of them: that one freed it.
    const later = gone.slice(gone.indexOf(image) + 1);
    const own = image.chain.filter(
      (chainId) => freed.has(chainId) && !later.some(({ chain }) => chain.includes(chainId)),
    );
    const layers = own.reverse();
    return [result, ...layers.map((deleted) => ({ deleted }))];
  });
}

interface Conflict {
  readonly hard: boolean;
  /** A container uses it. */
  readonly used: boolean;
  readonly message: string;
}

/** One removal inside one transaction. */
class Removal {
  readonly results: RemoveResult[] = [];
  readonly events: ImageEvent[] = [];
  readonly gone: ImageObject[] = [];
  readonly #tx: WriteTransaction;
  readonly #users: ImageUsers;
  readonly #options: RemoveOptions;
  readonly #now: number;
  readonly #retention: number;

  constructor(tx: WriteTransaction, { users, clock, retention }: Context, options: RemoveOptions) {
    this.#tx = tx;
    this.#users = users;
    this.#options = options;
    this.#now = clock.now();
    this.#retention = retention;
  }

  run(nameOrId: string): void {
    const image = resolveImage(this.#tx, nameOrId);
    if (isIdPrefix(image.id, nameOrId)) this.#removeById(image);
    else this.#removeByName(image, nameOrId);
    forgetLayers(this.#tx);
  }

  #removeById(image: ImageObject): void {
    const names = tagsOf(this.#tx, image.id);
    if (isSingleName(names)) {
      const conflict = this.#conflict(image, { names: false, stopped: !this.#options.force });
      if (conflict) throw conflictError(image, conflict);
      for (const name of names) this.#untag(image, name);
    }
    this.#delete(image, this.#options.force, this.#options.prune, false);
  }

  #removeByName(image: ImageObject, words: string): void {
    const user = this.#users.usersOf(image.id)[0];
    if (!this.#options.force && user && isSingleName(tagsOf(this.#tx, image.id))) {
      throw new HavreError(
        "conflict",
        `conflict: unable to remove repository reference ${JSON.stringify(words)} (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
        { hint: "Remove the container first, or force" },
      );
    }
    const reference = withDefaultTag(parseReference(words));
    const name = this.#tx.get(tagKind, tagKey(reference));
    const others = name?.current?.others ?? [];
    if (name?.current) this.#untag(image, name, reference);
    for (const other of others) this.#removeOther(reference, other);
    if (reference.digest === undefined) this.#untagDigestsOf(image, name);
    if (tagsOf(this.#tx, image.id).length > 0) return;
    this.#delete(image, this.#options.force, this.#options.prune, true);
  }

  /** One for another platform goes with the name that stood for all, unless something else needs it. */
  #removeOther({ domain, path }: Reference, other: { readonly image: Digest; readonly manifest: Digest }): void {
    const image = this.#tx.get(imageKind, other.image);
    const stillNamed = this.#tx
      .list(tagKind)
      .some(({ current }) => current?.others?.some(({ image: id }) => id === other.image));
    if (!image || stillNamed) return;
    const repository = repositoryKey({ domain, path });
    const digests = tagsOf(this.#tx, image.id).filter(
      (name) => name.repository === repository && name.tag === undefined,
    );
    for (const name of digests) this.#untag(image, name);
    if (tagsOf(this.#tx, image.id).length === 0) this.#delete(image, false, false, true);
  }

  /** With the last tag of a repository its `name@digest` forms go too. */
  #untagDigestsOf(image: ImageObject, removed: TagObject | undefined): void {
    const ofRepository = tagsOf(this.#tx, image.id).filter((name) => name.repository === removed?.repository);
    if (ofRepository.some((name) => name.tag !== undefined)) return;
    for (const name of ofRepository) this.#clear(name);
  }

  #untag(image: ImageObject, name: TagObject, shown?: Reference): void {
    this.#clear(name, shown);
    this.events.push(imageEvent("untag", image));
  }

  #clear(name: TagObject, shown?: Reference): void {
    clearTag(this.#tx, name, this.#now);
    this.results.push({ untagged: shown ? familiarReference(shown) : familiar(name) });
  }

  #delete(image: ImageObject, force: boolean, prune: boolean, quiet: boolean): void {
    const conflict = this.#conflict(image, { names: !force, stopped: !force });
    if (conflict) {
      if (quiet && (!isDangling(this.#tx, image.id) || conflict.used)) return;
      throw conflictError(image, conflict);
    }
    for (const name of tagsOf(this.#tx, image.id)) this.#untag(image, name);
    const own = this.#options.keep ?? parseKeepTime(image.config.config?.Labels?.[KEEP_LABEL] ?? "");
    const removed = { ...image, removedAt: this.#now, ...(own === undefined ? {} : { keep: own }) };
    if ((own ?? this.#retention) > 0 && this.#wasNamed(image.id)) this.#tx.put(imageKind, removed);
    else this.#tx.delete(imageKind, image.id);
    this.gone.push(image);
    this.events.push({ action: "delete", id: image.id, name: image.id });
    this.results.push({ deleted: image.id });
    const parent = image.parent === undefined ? undefined : this.#tx.get(imageKind, image.parent);
    if (prune && parent && parent.removedAt === undefined) this.#delete(parent, false, true, true);
  }

  /** A rollback of some name could want it back. */
  #wasNamed(id: Digest): boolean {
    return this.#tx.list(tagKind).some((tag) => tag.history.some(({ to }) => to?.image === id));
  }

  #conflict(image: ImageObject, soft: { readonly names: boolean; readonly stopped: boolean }): Conflict | undefined {
    if (childrenOf(this.#tx, image.id).length > 0) {
      return { hard: true, used: false, message: "image has dependent child images" };
    }
    const users = this.#users.usersOf(image.id);
    const running = users.find((user) => user.running);
    if (running) {
      return { hard: true, used: true, message: `image is being used by running container ${shortId(running.id)}` };
    }
    if (soft.names && tagsOf(this.#tx, image.id).length > 0) {
      return { hard: false, used: false, message: "image is referenced in multiple repositories" };
    }
    const stopped = soft.stopped ? users.find((user) => !user.running) : undefined;
    if (stopped) {
      return { hard: false, used: true, message: `image is being used by stopped container ${shortId(stopped.id)}` };
    }
    return undefined;
  }
}

function conflictError(image: ImageObject, { hard, message }: Conflict): HavreError {
  const how = hard ? "cannot be forced" : "must be forced";
  return new HavreError("conflict", `conflict: unable to delete ${shortId(image.id)} (${how}) - ${message}`);
}

/** True when all names are of one repository and at most one of them is a tag. */
function isSingleName(names: readonly TagObject[]): boolean {
  if (names.length <= 1) return names.length === 1;
  const tags = names.filter((name) => name.tag !== undefined);
  if (tags.length > 1) return false;
  return new Set(names.map((name) => name.repository)).size === 1;
}

/** No name, and nothing made from it. */
function isDangling(tx: ReadTransaction, id: Digest): boolean {
  return tagsOf(tx, id).length === 0 && childrenOf(tx, id).length === 0;
}
