/**
 * Layers as trees: turns tars into immutable layers named by chain id, and gives a container its writable layer on top.
 *
 * Words: layer, chain id, diff id, writable layer, key, whiteout, opaque folder, upper, lower, merged.
 * Owns `<root>/snapshots` and the mounts below it. Invariant: a layer is visible only when it is complete.
 */
export * from "./snapshots.ts";
