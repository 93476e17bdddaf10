import { opendirSync } from "node:fs";

/** Whether nothing is in a folder. */
export function isEmptyFolder(path: string): boolean {
  const folder = opendirSync(path);
  try {
    return folder.readSync() === null;
  } finally {
    folder.closeSync();
  }
}
