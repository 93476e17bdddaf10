/**
 * The object store: every durable fact of the platform that is not a blob or a file tree, as immutable objects of a
 * named kind. SQLite for one machine; a distributed store can stand behind the same three methods.
 *
 * Words: kind, object, index, view, update, watch.
 * Invariant: an `update` that returned is on disk; one that threw changed nothing. Every field has one writer.
 */
export { readForeignColumn } from "./foreign.ts";
export { SqliteStore } from "./sqlite.ts";
export * from "./store.ts";
