import { createHash } from "node:crypto";
import { lstatSync, readdirSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { HavreError } from "../../../../base/mod.ts";
import type { Client } from "../../../../client/mod.ts";
import { type PackedFolder, writeFolders } from "../../container/copy/tar-writer.ts";
import { contextFilter } from "./request.ts";

/** What a name in a Dockerfile stands for, as the daemon is told. */
export type NamedContext = { readonly name: string } & (
  | { readonly kind: "files"; readonly folder: string }
  | { readonly kind: "remote"; readonly address: string }
  | { readonly kind: "image"; readonly reference: string }
);

const IMAGE = "docker-image://";

/** A context by its name and where it is: a folder, `docker-image://NAME`, a repository or an archive of the web. */
export function namedContext(name: string, value: string): NamedContext {
  if (value.startsWith(IMAGE)) return { name, kind: "image", reference: value.slice(IMAGE.length) };
  if (isRemoteContext(value)) return { name, kind: "remote", address: value };
  const scheme = /^([a-z][a-z0-9+-]*):/i.exec(value)?.[1];
  const folder = resolve(value);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return { name, kind: "files", folder };
  if (scheme !== undefined)
    throw new HavreError("not-implemented", `unsupported context source ${scheme} for ${name}`, {
      hint: `A folder, ${IMAGE}NAME, or the address of a repository or an archive`,
    });
  throw new HavreError("not-found", `unable to get build context ${name}: path ${JSON.stringify(value)} not found`);
}

export function isRemoteContext(place: string): boolean {
  return /^(?:https?:\/\/|git@|git:\/\/|ssh:\/\/|github\.com\/)/.test(place);
}

/** Bytes of files up to which comparing them takes as long as sending them. */
const WORTH_COMPARING = 512 * 1024;

/**
 * As `packContexts`, without the files that the daemon has as they are from the last build of these folders. `keptContext`: how the
 * request says so.
 */
export async function packChanged(
  client: Client,
  main: { readonly folder: string; readonly dockerfile: string } | undefined,
  named: readonly NamedContext[],
): Promise<ReturnType<typeof packContexts> & { readonly keptContext: string }> {
  const { contexts, folders } = foldersOf(main, named);
  const { files, size } = listFiles(folders);
  if (size < WORTH_COMPARING) return { contexts, body: bodyOf(folders), keptContext: "" };
  const places = folders.map(({ path, name }) => [name, resolve(path)]);
  const key = createHash("sha256")
    .update(JSON.stringify([hostname(), places]))
    .digest("hex");
  const { id, same } = await client.json<{ readonly id: string; readonly same: readonly number[] }>(
    "POST",
    "/havre/v1/build/context",
    { json: { key, files } },
  );
  const here = new Set(same.map((index) => files[index]?.[0]));
  const changed = folders.map((folder) => {
    const prefix = folder.name === "" ? "" : `${folder.name}/`;
    const keeps: PackedFolder["keeps"] = (path, isFolder) =>
      folder.keeps(path, isFolder) && (isFolder || !here.has(prefix + path));
    return { ...folder, keeps };
  });
  return { contexts, body: bodyOf(changed), keptContext: id };
}

/** Regular files with what changes when they do. One with several names is always sent. */
function listFiles(folders: readonly PackedFolder[]): { readonly files: readonly Stamped[]; readonly size: number } {
  const files: Stamped[] = [];
  let total = 0;
  const look = (folder: string, inside: string, prefix: string, keeps: PackedFolder["keeps"]) => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      const place = inside === "" ? name : `${inside}/${name}`;
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (!stat || !keeps(place, stat.isDirectory())) continue;
      if (stat.isDirectory()) look(path, place, prefix, keeps);
      if (!stat.isFile() || stat.nlink > 1n) continue;
      files.push([prefix + place, Number(stat.size), `${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino} ${stat.mode}`]);
      total += Number(stat.size);
    }
  };
  for (const { path, name, keeps } of folders) look(path, "", name === "" ? "" : `${name}/`, keeps);
  return { files, size: total };
}

type Stamped = readonly [path: string, size: number, stamp: string];

/** The fields and the body of a request that brings the main folder and others. */
export function packContexts(
  main: { readonly folder: string; readonly dockerfile: string } | undefined,
  named: readonly NamedContext[],
): { readonly contexts: readonly object[]; readonly body: AsyncIterable<Uint8Array> | undefined } {
  const { contexts, folders } = foldersOf(main, named);
  return { contexts, body: bodyOf(folders) };
}

function foldersOf(
  main: { readonly folder: string; readonly dockerfile: string } | undefined,
  named: readonly NamedContext[],
): { readonly contexts: readonly object[]; readonly folders: readonly PackedFolder[] } {
  const contexts = named.map((one) => (one.kind === "files" ? { name: one.name, kind: one.kind } : one));
  const folders = named.flatMap((one, index) =>
    one.kind === "files" ? [{ path: one.folder, name: String(index), keeps: contextFilter(one.folder, "") }] : [],
  );
  const own = main && { path: main.folder, keeps: contextFilter(main.folder, main.dockerfile) };
  const all = own ? [{ ...own, name: folders.length === 0 ? "" : "main" }, ...folders] : folders;
  return { contexts, folders: all };
}

function bodyOf(folders: readonly PackedFolder[]): AsyncIterable<Uint8Array> | undefined {
  return folders.length === 0 ? undefined : writeFolders(folders);
}
