/**
 * Blobs by digest: ingest, verify, read, collect. Files under `<root>/content/<algorithm>/<first two digits>/<hex>`, written beside and
 * renamed into place.
 *
 * Words: blob, digest, ingest, hold, collect. This folder owns the files; who needs a blob is for others to say.
 * Invariant: a file under its final name has that digest and is synced to disk.
 */
export * from "./content.ts";
export { FileContentStore } from "./file-content-store.ts";
