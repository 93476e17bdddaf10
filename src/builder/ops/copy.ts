import { createHash } from "node:crypto";
import { type Digest, joinAll } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import type { CopyOp, MakeFolderOp } from "../graph/ops.ts";
import { addFile, keyOf } from "./content-key.ts";
import type { OpContext } from "./context.ts";
import { type Chosen, choose, type Excluded, excludedBy, filesOf, placeChosen } from "./copy/copy-files.ts";
import { parseMode } from "./copy/mode.ts";
import { Placement } from "./copy/placement.ts";
import { FolderSource } from "./files/folder-source.ts";
import { baseOf } from "./files/paths.ts";
import type { FileSource } from "./files/source.ts";
import { unpacked } from "./files/unpacked.ts";
import { gathered } from "./gathered.ts";
import { resolveOwner } from "./owner.ts";

/** A copy whose sources have been looked at: its key says what will come of it. */
export interface PreparedCopy {
  keyOn(parent: ImageLayer | undefined): Digest;
  run(parent: ImageLayer | undefined, signal: AbortSignal): Promise<ImageLayer | undefined>;
}

/** Looks at the sources of a copy; they are to stay open until it was run. What `held` gets is to be disposed then. */
export async function prepareCopy(
  context: OpContext,
  op: CopyOp,
  inputs: readonly FileSource[],
  held: DisposableStack,
  signal: AbortSignal,
): Promise<PreparedCopy> {
  const excluded = excludedBy(op.excludes);
  const chosen = choose(op, inputs);
  const files = filesKey(op, chosen, excluded);
  return {
    keyOn: (parent) => copyKey(op, files, parent),
    run: async (tree, stop) => {
      const opened = await joinAll(
        chosen.map((one) => (others) => openArchives(context, one, held, others)),
        signal,
      );
      return changeTree(context, tree, op, stop, (placement) => placeChosen(placement, op, opened, excluded));
    },
  };
}

async function openArchives(
  context: OpContext,
  chosen: Omit<Chosen, "archives">,
  held: DisposableStack,
  signal: AbortSignal,
): Promise<Chosen> {
  const archives = new Map<string, FileSource>();
  for (const { asked, file } of chosen.what.unpack ? chosen.selected : []) {
    const archive = await unpacked(context, chosen.files, file, signal);
    if (archive) archives.set(asked, held.use(archive));
  }
  return { ...chosen, archives };
}

function copyKey(op: CopyOp, files: string, parent: ImageLayer | undefined): Digest {
  const { destination, owner, mode, parents, latest } = op;
  return keyOf("copy-2", parent?.chainId, destination, owner, mode, parents, latest, files);
}

/** A digest of all that is copied. */
function filesKey(op: CopyOp, chosen: readonly Omit<Chosen, "archives">[], excluded: Excluded | undefined): string {
  const hash = createHash("sha256");
  const { parents, ownedByRoot } = op;
  for (const { files, selected, what } of chosen) {
    hash.update(JSON.stringify(["source", what.unpack]));
    for (const { asked, file } of selected) {
      const called = parents ? asked : file.type === "directory" ? "" : baseOf(asked);
      for (const one of filesOf(files, file, excluded)) {
        // Of the folder at the top only what is in it is copied.
        if (one === file && file.type === "directory" && !parents) continue;
        addFile(hash, called + one.path.slice(file.path.length), one, files, ownedByRoot);
      }
    }
  }
  return hash.digest("hex");
}

export function makeFolderKey(op: MakeFolderOp, parent: ImageLayer | undefined): Digest {
  return keyOf("folder-1", parent?.chainId, op.path, op.owner, op.latest);
}

/** A folder and its parents where there is none. */
export function makeFolder(
  context: OpContext,
  op: MakeFolderOp,
  parent: ImageLayer | undefined,
  signal: AbortSignal,
): Promise<ImageLayer | undefined> {
  return changeTree(context, parent, op, signal, (placement) => placement.makeFolders(placement.resolve(op.path)));
}

/** The layer that `change` makes on a tree; undefined when it changes nothing. */
async function changeTree(
  { snapshots, images, clock }: OpContext,
  parent: ImageLayer | undefined,
  { owner, mode, latest }: { readonly owner?: string; readonly mode?: string; readonly latest?: number },
  signal: AbortSignal,
  change: (placement: Placement) => void,
): Promise<ImageLayer | undefined> {
  return snapshots.withView(parent?.chainId, async (root) => {
    using tree = new FolderSource(root);
    const placement = new Placement(tree, {
      owner: owner === undefined ? undefined : resolveOwner(tree, owner),
      mode: mode === undefined ? undefined : parseMode(mode),
      now: BigInt(latest ?? Math.floor(clock.now())) * 1_000_000n,
      ...(latest === undefined ? {} : { latest: BigInt(latest) * 1_000_000n }),
    });
    change(placement);
    if (placement.empty) return undefined;
    return await images.layerFrom(parent?.chainId, gathered(placement.tar()), signal);
  });
}
