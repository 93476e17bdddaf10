import { constants, copyFileSync, createReadStream, linkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, newId } from "../base/mod.ts";
import { TAR, whyNotIndexed } from "./erofs/mount.ts";
import type { LayerSource } from "./snapshots.ts";
import type { TarLimits } from "./tar/header.ts";
import type { AppliedTree } from "./work/apply-layer.ts";
import type { Runner } from "./work/runner.ts";

const READ = 1 << 20;

/** A layer's tree, finished in its folder. */
export interface MadeTree {
  /** The tree is tar and index, to be mounted on `fs`; absent: `fs` is the tree. */
  readonly indexed?: true;
  readonly tree: AppliedTree;
}

/** Makes a layer's tree of its tar: by an index where the kernel can and the archive lets itself be, else unpacked. */
export class LayerMaker {
  readonly #runner: Runner;
  readonly #limits: TarLimits;
  readonly #staging: string;
  /** Found out with the first layer. */
  #capability: { readonly whyNot: string | undefined } | undefined;

  /** `layout` "unpacked": without trying. */
  constructor(runner: Runner, limits: TarLimits, staging: string, layout: "unpacked" | undefined) {
    this.#runner = runner;
    this.#limits = limits;
    this.#staging = staging;
    if (layout === "unpacked") this.#capability = { whyNot: "Unpacked layers were asked for" };
  }

  /** `folder` has an empty `fs`; `lower`: trees of the layers below, the highest first. */
  async make(
    folder: string,
    lower: readonly string[],
    tar: LayerSource,
    signal: AbortSignal | undefined,
  ): Promise<MadeTree> {
    const limits = this.#limits;
    const unpack = (bytes: AsyncIterable<Uint8Array>) =>
      this.#runner.run({ kind: "apply-layer", folder: join(folder, "fs"), lower, limits }, bytes, signal);
    this.#capability ??= { whyNot: whyNotIndexed(join(this.#staging, newId())) };
    const read = "file" in tar;
    if (this.#capability.whyNot !== undefined) return { tree: await unpack(read ? readFrom(tar.file) : tar) };
    if (read) linkOrCopy(tar.file, join(folder, TAR));
    const job = { kind: "index-layer", folder, read, lower, limits } as const;
    const tree = await this.#runner.run(job, read ? undefined : tar, signal);
    if (!("why" in tree)) return { indexed: true, tree };
    const unpacked = await unpack(readFrom(join(folder, TAR)));
    rmSync(join(folder, TAR));
    return { tree: unpacked };
  }
}

function readFrom(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: READ });
}

/** Both files are never written to again. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Another file system, or one whose files have only so many names.
    if (errnoOf(error) !== "EXDEV" && errnoOf(error) !== "EMLINK" && errnoOf(error) !== "EPERM") throw error;
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
  }
}
