import type { ReadTransaction } from "../store/mod.ts";
import type { Image, ImageFilters } from "./images.ts";
import type { ImageObject, TagObject } from "./objects.ts";
import { pathMatcher } from "./path-match.ts";
import { childrenOf, familiar, familiarRepository, listImages, resolveImage, tagsOf } from "./resolve.ts";
import { createdAt, viewImage } from "./view.ts";

/**
 * `docker images`: newest first. Without `all`, images that others were made from are left out unless they have a name.
 * A `reference` filter also leaves out the other names of an image that fits.
 */
export function selectImages(tx: ReadTransaction, filters: ImageFilters, all: boolean): readonly Image[] {
  const inTime = timeFilter(tx, filters);
  const matches = filters.reference && nameFilter(filters.reference);
  const selected: Image[] = [];
  for (const image of listImages(tx)) {
    if (!inTime(image)) continue;
    if (filters.labels && !filters.labels.every((label) => hasLabel(image, label))) continue;
    const names = tagsOf(tx, image.id);
    const shown = matches ? names.filter(matches) : names;
    if (isSelected(tx, image, shown, filters, all)) selected.push(viewImage(tx, image, shown));
  }
  return selected.sort((a, b) => b.created - a.created || (a.id < b.id ? -1 : 1));
}

function isSelected(
  tx: ReadTransaction,
  image: ImageObject,
  names: readonly TagObject[],
  filters: ImageFilters,
  all: boolean,
): boolean {
  const hasChildren = childrenOf(tx, image.id).length > 0;
  if (filters.dangling && hasChildren) return false;
  if (names.length > 0) return !filters.dangling || names.every((name) => name.tag === undefined);
  if (filters.dangling === false || filters.reference) return false;
  return all || !hasChildren;
}

function timeFilter(tx: ReadTransaction, { before, since, until }: ImageFilters): (image: ImageObject) => boolean {
  const created = (name: string | undefined) => (name === undefined ? undefined : createdAt(resolveImage(tx, name)));
  const ends = [created(before), until].filter((at) => at !== undefined);
  const end = ends.length > 0 ? Math.min(...ends) : undefined;
  const start = created(since);
  return (image) => {
    const at = createdAt(image);
    return (
      (end === undefined || (at !== undefined && at < end)) && (start === undefined || (at !== undefined && at > start))
    );
  };
}

/** A pattern may fit the whole name (`debian:12`) or the repository alone. */
function nameFilter(patterns: readonly string[]): (name: TagObject) => boolean {
  const matchers = patterns.map(pathMatcher);
  return (name) => matchers.some((fits) => fits(familiar(name)) || fits(familiarRepository(name)));
}

/** `key`, or `key=value`. */
export function hasLabel(image: ImageObject, wanted: string): boolean {
  const labels = image.config.config?.Labels ?? {};
  const equals = wanted.indexOf("=");
  if (equals < 0) return Object.hasOwn(labels, wanted);
  const key = wanted.slice(0, equals);
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1);
}
