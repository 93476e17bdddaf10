import { isMountPoint } from "../../snapshots/mod.ts";
import type { Context } from "../context.ts";
import { resolveImage } from "../resolve.ts";
import { compareConfigs } from "./config.ts";
import type { Difference, FileDifference, TreeSource } from "./difference.ts";
import { comparePackages } from "./packages.ts";
import { compareTrees } from "./trees.ts";

/** What differs between two images, or an image and any tree: files, configuration, Debian packages. */
export async function compare(
  context: Context,
  before: string | TreeSource,
  after: string | TreeSource,
  signal?: AbortSignal,
): Promise<Difference> {
  return withTree(context, before, (a) =>
    withTree(context, after, async (b) => {
      const same = a.folder === b.folder || (a.chain !== undefined && a.chain === b.chain);
      return {
        config: compareConfigs(a.config, b.config),
        packages: same ? [] : comparePackages(a.folder, b.folder),
        files: same
          ? []
          : withoutMountPoints(await compareTrees(a.folder, b.folder, signal, { before: a.ids, after: b.ids }), a, b),
      };
    }),
  );
}

interface Side extends TreeSource {
  readonly chain?: string;
}

async function withTree<T>(context: Context, side: string | TreeSource, use: (tree: Side) => Promise<T>): Promise<T> {
  if (typeof side !== "string") return use(side);
  const image = context.store.view((tx) => resolveImage(tx, side));
  const chain = image.chain.at(-1);
  if (chain === undefined) return use({ folder: undefined, config: image.config, chain: "" });
  return context.snapshots.withView(chain, (folder) => use({ folder, config: image.config, chain }));
}

/** A container's tree has places to mount onto that its image need not have. */
function withoutMountPoints(files: readonly FileDifference[], a: Side, b: Side): readonly FileDifference[] {
  if ((a.chain === undefined) === (b.chain === undefined)) return files;
  return files.filter(({ path, kind, before, after }) => {
    const own = a.chain === undefined ? kind === "deleted" && before : kind === "added" && after;
    return !(own && own.size === 0 && isMountPoint(path));
  });
}
