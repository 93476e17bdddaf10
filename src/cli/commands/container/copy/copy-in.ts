import { lstatSync, realpathSync, statSync } from "node:fs";
import { posix } from "node:path";
import { HavreError } from "../../../../base/mod.ts";
import type { Context } from "../../../context.ts";
import { humanSize } from "../../../output/units.ts";
import { stdinChunks } from "../../../streams/input.ts";
import { type CopyOptions, counted, isFolder, isSpecial, isSymlink, statPath } from "./container-path.ts";
import { absolute, assertsFolder, type CopySide, planCopy, splitEntry } from "./paths.ts";
import { writeTar } from "./tar-writer.ts";

/** `cp LOCAL CONTAINER:PATH`. */
export async function copyIn(
  context: Context,
  local: string,
  container: string,
  path: string,
  options: CopyOptions,
): Promise<number> {
  const source = local === "-" ? undefined : localSource(local, options.follow);
  const client = await context.client();
  const destination = await containerSide(context, container, path);
  let folder: string;
  let body: AsyncIterable<Uint8Array>;
  if (source) {
    const plan = planCopy(source, destination);
    folder = plan.folder;
    const base = source.archivedAs ?? splitEntry(source.path).base;
    body = writeTar(source.path, plan.rename?.to ?? base);
  } else {
    if (!destination.isFolder)
      throw new HavreError("invalid-argument", `destination "${container}:${path}" must be a directory`);
    folder = destination.path;
    body = stdinChunks();
  }
  let size = 0;
  await client.run("PUT", `/containers/${container}/archive`, {
    query: { path: folder, noOverwriteDirNonDir: "true", copyUIDGID: options.archive ? "true" : undefined },
    body: counted(body, (count) => {
      size += count;
    }),
  });
  if (!options.quiet) context.err.line(`Successfully copied ${humanSize(size, 3)} to ${container}:${destination.path}`);
  return 0;
}

function localSource(given: string, follow: boolean): CopySide {
  const path = absolute(given);
  const bare = path.replace(/(.)\/\.?$/, "$1");
  const link = lstatSync(bare, { throwIfNoEntry: false });
  if (!link) throw new HavreError("not-found", `lstat ${bare}: no such file or directory`);
  if (link.isSymbolicLink() && (follow || assertsFolder(path))) {
    const stat = statSync(bare, { throwIfNoEntry: false });
    if (!stat) throw new HavreError("not-found", `lstat ${bare}: no such file or directory`);
    const isContent = splitEntry(path).base === ".";
    const real = realpathSync(bare) + (isContent ? "/." : "");
    return {
      path: real,
      exists: true,
      isFolder: stat.isDirectory(),
      ...(isContent ? {} : { archivedAs: posix.basename(bare) }),
    };
  }
  if (assertsFolder(path) && !link.isDirectory()) throw new HavreError("invalid-argument", "not a directory");
  return { path, exists: true, isFolder: link.isDirectory() };
}

async function containerSide(context: Context, container: string, path: string): Promise<CopySide> {
  const client = await context.client();
  let target = path;
  let stat = await statPath(client, container, path);
  if (stat && isSymlink(stat)) {
    target = stat.linkTarget.startsWith("/") ? stat.linkTarget : posix.join(splitEntry(path).folder, stat.linkTarget);
    stat = await statPath(client, container, target);
  }
  if (stat && isSpecial(stat))
    throw new HavreError(
      "invalid-argument",
      `destination "${container}:${path}" must be a directory or a regular file: got a device`,
    );
  return { path: target, exists: stat !== undefined, isFolder: stat !== undefined && isFolder(stat) };
}
