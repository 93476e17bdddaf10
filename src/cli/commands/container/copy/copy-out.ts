import { lstatSync, statSync } from "node:fs";
import { dirname, posix } from "node:path";
import { HavreError } from "../../../../base/mod.ts";
import type { Client } from "../../../../client/mod.ts";
import type { Context } from "../../../context.ts";
import { humanSize } from "../../../output/units.ts";
import { type CopyOptions, counted, getArchive, isFolder, isSymlink, statPath } from "./container-path.ts";
import { absolute, assertsFolder, type CopySide, planCopy, splitEntry } from "./paths.ts";
import { unpack } from "./unpack.ts";

/** `cp CONTAINER:PATH LOCAL`. */
export async function copyOut(
  context: Context,
  container: string,
  path: string,
  local: string,
  options: CopyOptions,
): Promise<number> {
  const target = local === "-" ? undefined : localSide(local);
  const client = await context.client();
  const { source, name } = options.follow ? await followed(client, container, path) : { source: path, name: undefined };
  const { stat, body } = await getArchive(client, container, source);
  if (!target) {
    for await (const chunk of body) context.out.write(chunk);
    return 0;
  }
  const archived = splitEntry(source).base;
  const side = { path: source, exists: true, isFolder: isFolder(stat) };
  const plan = planCopy(side, target);
  // A followed link keeps the name it was asked by.
  const renamedPlan = name === undefined || plan.rename ? plan : { ...plan, rename: { from: archived, to: name } };
  let size = 0;
  const bytes = counted(body, (count) => {
    size += count;
  });
  await unpack(bytes, renamedPlan, (entry) => context.err.line(`Skipped: ${entry} is neither file, folder nor link`));
  if (!options.quiet) context.err.line(`Successfully copied ${humanSize(size, 3)} to ${absolute(local)}`);
  return 0;
}

async function followed(
  client: Client,
  container: string,
  path: string,
): Promise<{ source: string; name: string | undefined }> {
  const stat = await statPath(client, container, path);
  if (!stat || !isSymlink(stat)) return { source: path, name: undefined };
  const { folder, base } = splitEntry(path);
  const source = stat.linkTarget.startsWith("/") ? stat.linkTarget : posix.join(folder, stat.linkTarget);
  return { source, name: posix.basename(source) === base ? undefined : base };
}

function localSide(given: string): CopySide {
  const path = absolute(given);
  const stat = statSync(path, { throwIfNoEntry: false }) ?? undefined;
  if (!stat) {
    const parent = dirname(path.replace(/\/\.?$/, ""));
    if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory())
      throw new HavreError("not-found", `invalid output path: directory "${parent}" does not exist`);
    if (lstatSync(path.replace(/\/\.?$/, ""), { throwIfNoEntry: false })?.isSymbolicLink())
      throw new HavreError("not-found", `invalid output path: the link "${path}" points nowhere`);
    return { path, exists: false, isFolder: false };
  }
  if (!stat.isFile() && !stat.isDirectory())
    throw new HavreError("invalid-argument", `invalid output path: "${path}" must be a directory or a regular file`);
  if (assertsFolder(path) && !stat.isDirectory()) throw new HavreError("invalid-argument", "not a directory");
  return { path, exists: true, isFolder: stat.isDirectory() };
}
