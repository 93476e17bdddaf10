import { createReadStream } from "node:fs";
import { decompress, type ImageLayer } from "../../images/mod.ts";
import { type ByteName, fromBytes, readTar } from "../../snapshots/mod.ts";
import type { OpContext } from "./context.ts";
import { Placement } from "./copy/placement.ts";
import { FolderSource } from "./files/folder-source.ts";
import { InlineSource } from "./files/inline-source.ts";
import { baseOf, cleanPath, joinPath, parentOf } from "./files/paths.ts";
import type { FileSource } from "./files/source.ts";
import { gathered } from "./gathered.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
/** Where the content of an empty file comes from. */
const EMPTY = new InlineSource({ kind: "inline", files: [] }, 0n);
const NOTHING = { stat: () => undefined };

/**
 * The layers above the first `keep` as one: what they changed in all, nothing of what they made and removed again. undefined:
 * that is nothing.
 */
export async function squash(
  context: OpContext,
  layers: readonly ImageLayer[],
  keep: number,
  signal: AbortSignal,
): Promise<ImageLayer | undefined> {
  const { snapshots, images, content } = context;
  const below = layers[keep - 1]?.chainId;
  return snapshots.withView(below, (lowerRoot) =>
    snapshots.withView(layers.at(-1)?.chainId, async (upperRoot) => {
      using lower = new FolderSource(lowerRoot);
      using upper = new FolderSource(upperRoot);
      const touched = new Set<ByteName>();
      for (const { blob } of layers.slice(keep)) {
        const bytes = createReadStream(content.path(blob.digest), { highWaterMark: 1 << 20 });
        for await (const { header } of readTar(decompress(bytes, signal)))
          touch(touched, fromBytes(header.rawPath), lower);
      }
      const placement = new Placement(NOTHING, { owner: undefined, mode: undefined, now: 0n });
      for (const path of touched) place(placement, path, upper, lower);
      return placement.empty ? undefined : await images.layerFrom(below, gathered(placement.tar()), signal);
    }),
  );
}

/** Remembers a path that a layer is about; for one that it hides also all that was there. */
function touch(touched: Set<ByteName>, raw: ByteName, lower: FileSource): void {
  const path = cleanPath(raw);
  const name = baseOf(path);
  if (name === OPAQUE) {
    addBelow(touched, parentOf(path), lower);
    return;
  }
  if (!name.startsWith(WHITEOUT)) {
    touched.add(path);
    return;
  }
  const hidden = joinPath(parentOf(path), name.slice(WHITEOUT.length));
  touched.add(hidden);
  addBelow(touched, hidden, lower);
}

function addBelow(touched: Set<ByteName>, folder: ByteName, lower: FileSource): void {
  for (const name of lower.list(folder)) {
    const path = joinPath(folder, name);
    touched.add(path);
    if (lower.stat(path)?.type === "directory") addBelow(touched, path, lower);
  }
}

function place(placement: Placement, path: ByteName, upper: FileSource, lower: FileSource): void {
  const file = upper.stat(path);
  if (file) {
    placement.put(path, file, upper, true);
    return;
  }
  const parent = parentOf(path);
  // What stands in a folder that is gone itself is gone with it.
  if (!lower.stat(path) || upper.stat(parent)?.type !== "directory") return;
  placement.put(joinPath(parent, `${WHITEOUT}${baseOf(path)}`), WHITED_OUT, EMPTY, true);
}

const WHITED_OUT = {
  path: "",
  type: "file",
  mode: 0,
  uid: 0,
  gid: 0,
  mtime: 0n,
  size: 0,
  linkTarget: "",
  devMajor: 0,
  devMinor: 0,
  xattrs: new Map<string, Uint8Array>(),
  identity: undefined,
} as const;
