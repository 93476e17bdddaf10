import { HavreError } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import type { FileSource } from "../ops/files/source.ts";

/** What a vertex comes to. */
export type Tree =
  /** A stack of layers, the lowest first. `createdAt`: when the last step that made it was run, in milliseconds. */
  | { readonly kind: "layers"; readonly layers: readonly ImageLayer[]; readonly createdAt: number | undefined }
  | { readonly kind: "files"; readonly files: FileSource };

export type LayeredTree = Extract<Tree, { kind: "layers" }>;

/** `internal` for what is no stack of layers. */
export function layered(tree: Tree | undefined): LayeredTree {
  if (tree?.kind === "layers") return tree;
  throw new HavreError("internal", "A step's tree is not made of layers");
}
