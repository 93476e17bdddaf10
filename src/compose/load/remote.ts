import { resolve } from "node:path";

/** Files whose address is no path of this machine: a repository's (git) or a registry's (`oci://`). */
const REMOTE = /^(?:(?:oci|https?|ssh|git|file):\/\/|git@|github\.com\/)/i;

export function isRemoteFile(address: string): boolean {
  return REMOTE.test(address);
}

/** A file elsewhere that is not at hand yet: whoever reads a project fetches it and reads again. */
export class RemoteFileNeeded extends Error {
  constructor(readonly address: string) {
    super(`${address} has to be fetched first`);
  }
}

/** The absolute path of a file named in `folder`; of one elsewhere, that of its copy. Throws `RemoteFileNeeded`. */
export function localPath(address: string, folder: string, copies: ReadonlyMap<string, string> | undefined): string {
  if (!isRemoteFile(address)) return resolve(folder, address);
  const copy = copies?.get(address);
  if (copy === undefined) throw new RemoteFileNeeded(address);
  return copy;
}
