import { open } from "node:fs/promises";
import { HavreError } from "../../base/mod.ts";

const READ = 512 * 1024;

/** Bytes `start` to before `end` of a file. `data-loss` when it is shorter. */
export async function* readFilePart(path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    for (let at = start; at < end; ) {
      const wanted = Math.min(READ, end - at);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
      if (bytesRead === 0) throw new HavreError("data-loss", `${path} ends before byte ${end}`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** The same, at once: for few bytes. */
export async function filePart(path: string, start: number, end: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of readFilePart(path, start, end)) parts.push(part);
  return Buffer.concat(parts);
}
