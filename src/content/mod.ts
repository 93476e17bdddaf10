/**
 * Blobs by digest: ingest, verify, read, collect. Files under `<root>/content/<algorithm>/<first two digits>/<hex>`, written beside and
 * renamed into place.
 *
 * Words: blob, digest, ingest, hold, collect; chunk, table, recipe, delta (how a blob is made of parts of others). This folder owns the files; who needs a blob is for others to say.
 * Invariant: a file under its final name has that digest and is synced to disk.
 */
export { firstChunk, LONGEST_CHUNK } from "./chunks/boundaries.ts";
export { DELTA_TYPE, encodeRecipe, undelta } from "./chunks/delta.ts";
export { KnownChunks } from "./chunks/known-chunks.ts";
export { filePart, readFilePart } from "./chunks/read-file.ts";
export { type Part, type Place, recipeOf, reusedBytes } from "./chunks/recipe.ts";
export { type Chunk, chunkName, encodeTable, readTable, SMALLEST_CHUNKED } from "./chunks/table.ts";
export * from "./content.ts";
export { FileContentStore } from "./file-content-store.ts";
