import { type Digest, HavreError, isDigest } from "../base/mod.ts";
import {
  familiarName,
  familiarReference,
  formatReference,
  type Platform,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../spec/mod.ts";
import type { ReadTransaction } from "../store/mod.ts";
import { type ImageObject, imageKind, type Pointer, type TagObject, tagKind } from "./objects.ts";
import { platformFit } from "./platform.ts";

/** A name as the store keys it: with a digest the tag says nothing more and is dropped. */
export function tagKey(reference: Reference): string {
  const { domain, path, tag, digest } = withDefaultTag(reference);
  if (digest !== undefined) return formatReference({ domain, path, digest });
  return formatReference({ domain, path, ...(tag === undefined ? {} : { tag }) });
}

export function repositoryKey({ domain, path }: Reference): string {
  return formatReference({ domain, path });
}

/** A name to give, from the API's two fields; a tag of its own replaces one in the name. `invalid-argument`. */
export function newTagReference(repository: string, tag: string | undefined): Reference {
  const { domain, path, digest, ...named } = parseReference(repository);
  if (digest !== undefined) throw new HavreError("invalid-argument", "cannot import digest reference");
  if (tag && !/^\w[\w.-]{0,127}$/.test(tag)) throw new HavreError("invalid-argument", "invalid tag format");
  return withDefaultTag({ domain, path, ...(tag ? { tag } : named) });
}

/** What the user wrote: a whole digest (with or without its algorithm), or a reference. */
function parseAny(text: string): { readonly digest: Digest } | { readonly reference: Reference } {
  const whole = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text;
  return isDigest(whole) ? { digest: whole } : { reference: parseReference(text) };
}

/**
 * The image that `nameOrId` means, tried as Docker does: a whole id, then a name, then an unambiguous prefix of an id.
 * `invalid-argument` for what is neither.
 */
export function findImage(tx: ReadTransaction, nameOrId: string): ImageObject | undefined {
  const parsed = parseAny(nameOrId);
  if ("digest" in parsed) return present(tx.get(imageKind, parsed.digest));
  const named = findTag(tx, parsed.reference);
  if (named?.current) {
    const image = present(tx.get(imageKind, named.current.image));
    if (image) return image;
  }
  const candidates = byIdPrefix(tx, nameOrId);
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** `findImage`, or `not-found` with Docker's text. */
export function resolveImage(tx: ReadTransaction, nameOrId: string): ImageObject {
  const found = findImage(tx, nameOrId);
  if (found) return found;
  const parsed = parseAny(nameOrId);
  const shown = "digest" in parsed ? parsed.digest : familiarReference(withDefaultTag(parsed.reference));
  const candidates = byIdPrefix(tx, nameOrId);
  throw new HavreError("not-found", `No such image: ${shown}`, {
    hint:
      candidates.length > 1
        ? `${candidates.length} image ids start with ${nameOrId}: give more digits`
        : "List what is here with: havre images; get it with: havre pull",
  });
}

/** `resolveImage`; of a name that stands for several platforms the image that fits. */
export function resolveFor(tx: ReadTransaction, nameOrId: string, platform: Platform | undefined): ImageObject {
  const image = resolveImage(tx, nameOrId);
  if (!platform || platformFit(image.config, platform) > 0) return image;
  const others = othersOf(tx, nameOrId, image).flatMap((other) => present(tx.get(imageKind, other.image)) ?? []);
  return others.find(({ config }) => platformFit(config, platform) > 0) ?? image;
}

/** What another name for an image points to: the same for other platforms, too, where the first name did. */
export function namedPointer(tx: ReadTransaction, nameOrId: string, image: ImageObject): Pointer {
  const others = othersOf(tx, nameOrId, image);
  const manifest = image.manifests[0]?.descriptor.digest;
  if (manifest === undefined) throw new HavreError("internal", `Image ${image.id} has no manifest`);
  return { image: image.id, manifest, ...(others.length === 0 ? {} : { others }) };
}

function othersOf(tx: ReadTransaction, nameOrId: string, image: ImageObject): NonNullable<Pointer["others"]> {
  const parsed = parseAny(nameOrId);
  const current = "digest" in parsed ? undefined : findTag(tx, parsed.reference)?.current;
  return current?.image === image.id ? (current.others ?? []) : [];
}

/** A name that points to an image now. A `name@digest` also finds a tag of that name whose manifest has the digest. */
export function findTag(tx: ReadTransaction, reference: Reference): TagObject | undefined {
  const tag = tx.get(tagKind, tagKey(reference));
  if (tag?.current) return tag;
  if (reference.digest === undefined) return undefined;
  return tx
    .find(tagKind, "repository", repositoryKey(reference))
    .find((other) => other.current?.manifest === reference.digest);
}

/** Names that point to an image now, sorted as they are shown. */
export function tagsOf(tx: ReadTransaction, id: Digest): readonly TagObject[] {
  return [...tx.find(tagKind, "image", id)].sort((a, b) => (familiar(a) < familiar(b) ? -1 : 1));
}

/** Names of a repository that point to an image now, sorted. */
export function tagsOfRepository(tx: ReadTransaction, reference: Reference): readonly TagObject[] {
  const tags = tx.find(tagKind, "repository", repositoryKey(reference));
  return tags.filter((tag) => tag.current).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Images made from this one here. */
export function childrenOf(tx: ReadTransaction, id: Digest): readonly ImageObject[] {
  return tx.find(imageKind, "parent", id).filter((child) => child.removedAt === undefined);
}

export function listImages(tx: ReadTransaction): readonly ImageObject[] {
  return tx.list(imageKind).filter((image) => image.removedAt === undefined);
}

/** `debian:12`, `debian@sha256:…`: a name as people see it. */
export function familiar(tag: TagObject): string {
  return familiarReference(parseReference(tag.id));
}

/** `debian`. */
export function familiarRepository(tag: TagObject): string {
  return familiarName(parseReference(tag.id));
}

/** True when the user's words are (the start of) this id: then an id was meant, not a name. */
export function isIdPrefix(id: Digest, words: string): boolean {
  return id.startsWith(words) || id.slice(id.indexOf(":") + 1).startsWith(words);
}

function byIdPrefix(tx: ReadTransaction, words: string): readonly ImageObject[] {
  const prefix = words.startsWith("sha256:") ? words : `sha256:${words}`;
  if (!/^sha256:[0-9a-f]+$/.test(prefix)) return [];
  return tx.findByIdPrefix(imageKind, prefix).filter((image) => image.removedAt === undefined);
}

function present(image: ImageObject | undefined): ImageObject | undefined {
  return image?.removedAt === undefined ? image : undefined;
}
