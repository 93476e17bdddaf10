import { closeFd, type DirectoryEntry, O_DIRECTORY, O_RDONLY, openAt, readDirectory } from "../../kernel/mod.ts";

/** What a folder holds, sorted by the bytes of the names: the same tree always reads the same. */
export function sortedEntries(folder: number): DirectoryEntry[] {
  const fd = openAt(folder, ".", O_RDONLY | O_DIRECTORY);
  try {
    return [...readDirectory(fd)].sort((a, b) => Buffer.compare(a.name, b.name));
  } finally {
    closeFd(fd);
  }
}
