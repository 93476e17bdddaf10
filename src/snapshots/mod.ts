/**
 * Layers as trees: turns tars into immutable layers named by chain id, and gives a container its writable layer on top.
 * Also the tar format itself, for those who read and write archives.
 *
 * Words: layer, chain id, diff id, writable layer, key, whiteout, opaque folder, upper, lower, merged.
 * Owns `<root>/snapshots` and the mounts below it. Invariant: a layer is visible only when it is complete.
 */
export { attributesOf } from "./attributes.ts";
export { isMountPoint } from "./mount-points.ts";
export { OverlaySnapshotter } from "./overlay-snapshotter.ts";
export * from "./snapshots.ts";
export * from "./tar/header.ts";
export { type TarHandler, TarParser } from "./tar/parser.ts";
export { readTar, type TarEntry } from "./tar/reader.ts";
export {
  encodeGlobalHeader,
  encodeTarHeader,
  TAR_TRAILER,
  type TarMember,
  tarPadding,
  writeTar,
} from "./tar/writer.ts";
export { idInside } from "./tree/held-ids.ts";
export { type ByteName, fromBytes, shown, toBytes } from "./tree/names.ts";
export { makeTreeFolder, readTreeFile, withTreeFolder } from "./tree/tree-files.ts";
export { packTree, packWholeTree, statInTree, unpackIntoTree } from "./tree-access.ts";
export { type CopiedTree, Trees } from "./trees.ts";
