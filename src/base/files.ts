import { type FileHandle, open } from "node:fs/promises";

/** Writes all bytes at the file's position: one write(2) may take fewer (a disk that is nearly full, a signal). */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}

/** Puts a folder's entries on disk: a file just renamed into it is there after a power cut too. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
