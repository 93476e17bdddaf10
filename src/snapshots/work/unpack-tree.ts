import { errnoOf, HavreError } from "../../base/mod.ts";
import { AT_FDCWD, closeFd, O_DIRECTORY, O_PATH, openAt, openInRoot } from "../../kernel/mod.ts";
import type { UnpackOptions } from "../snapshots.ts";
import { TarParser } from "../tar/parser.ts";
import { type AskedPath, askedPath } from "../tree/asked-path.ts";
import { TreeExtractor } from "../tree/extractor.ts";
import { asHolder } from "../tree/held-ids.ts";
import { toBytes } from "../tree/names.ts";
import { INPUT, type Work } from "./steps.ts";

export interface UnpackTreeJob extends UnpackOptions {
  readonly kind: "unpack-tree";
  readonly root: string;
  readonly path: string;
  /** The archive is of a whole tree: its top entry sets the attributes of the folder. */
  readonly top?: boolean;
}

export function unpackTree(job: UnpackTreeJob): Work<undefined> {
  return job.ids ? asHolder(job.ids, unpack(job)) : unpack(job);
}

function* unpack(job: UnpackTreeJob): Work<undefined> {
  const asked = askedPath(job.path);
  const root = openAt(AT_FDCWD, job.root, O_PATH | O_DIRECTORY);
  try {
    closeFd(openFolder(root, asked));
    using extractor = new TreeExtractor(root, {
      layer: false,
      into: asked.path,
      noOverwriteDirNonDir: job.noOverwriteDirNonDir,
      ...(job.top ? { top: true } : {}),
      ...(job.owner ? { owner: job.owner } : {}),
      ...(job.ids ? { ids: job.ids } : {}),
    });
    const parser = new TarParser(extractor);
    for (let chunk = yield INPUT; chunk; chunk = yield INPUT) parser.write(chunk);
    parser.end();
    extractor.end();
  } finally {
    closeFd(root);
  }
  return undefined;
}

function openFolder(root: number, { path, text }: AskedPath): number {
  try {
    return openInRoot(root, toBytes(path), O_PATH | O_DIRECTORY);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT")
      throw new HavreError("not-found", `lstat ${text}: no such file or directory`, { cause: error });
    if (code !== "ENOTDIR") throw error;
    throw new HavreError("invalid-argument", "extraction point is not a directory", { cause: error });
  }
}
