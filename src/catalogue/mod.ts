/**
 * Base images made of distribution packages where no registry is at hand or wanted, and images on them. Entries are
 * small versioned files with an owner; some come with Havre, operators keep their own in `/etc/havre/catalogue`.
 *
 * Words: entry (what an image is made of, and who answers for it), recipe (a root of packages, or a Dockerfile), revision
 * (the day an entry was last changed; every time in its image), stale (made of an older text).
 * Owns `<root>/catalogue`, for roots being put together. Invariant: an image of the catalogue says in a label of which
 * texts it was made; equal packages and equal texts give equal digests.
 */
export { Catalogue } from "./catalogue.ts";
export { CatalogueDistribution } from "./catalogue-distribution.ts";
export { CATALOGUE_DOMAIN, type Entry, entryReference } from "./entry.ts";
export type { CatalogueItem } from "./item.ts";
export type { OutdatedPackage } from "./outdated.ts";
export type { Finding } from "./verify.ts";
