import { statSync } from "node:fs";
import { resolve } from "node:path";
import { HavreError } from "../../../../base/mod.ts";
import { writeFolders } from "../../container/copy/tar-writer.ts";
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

/** The fields and the body of a request that brings the main folder and others. */
export function packContexts(
  main: { readonly folder: string; readonly dockerfile: string } | undefined,
  named: readonly NamedContext[],
): { readonly contexts: readonly object[]; readonly body: AsyncIterable<Uint8Array> | undefined } {
  const contexts = named.map((one) => (one.kind === "files" ? { name: one.name, kind: one.kind } : one));
  const folders = named.flatMap((one, index) =>
    one.kind === "files" ? [{ path: one.folder, name: String(index), keeps: contextFilter(one.folder, "") }] : [],
  );
  if (main === undefined && folders.length === 0) return { contexts, body: undefined };
  const own = main && { path: main.folder, keeps: contextFilter(main.folder, main.dockerfile) };
  const all = own ? [{ ...own, name: folders.length === 0 ? "" : "main" }, ...folders] : folders;
  return { contexts, body: writeFolders(all) };
}
