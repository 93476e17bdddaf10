import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { createZstdCompress, createZstdDecompress } from "node:zlib";
import { syncFolder, toHavreError, writeAll } from "../../../base/mod.ts";

/** Writes a stream into a file, compressed with zstd; the file is there whole or not at all. Returns its size. */
export async function writeCompressed(path: string, source: AsyncIterable<Uint8Array>): Promise<number> {
  const beside = `${path}.${process.pid}.new`;
  try {
    const file = await open(beside, "wx", 0o600);
    let size = 0;
    try {
      for await (const bytes of through(source, createZstdCompress())) {
        await writeAll(file, bytes);
        size += bytes.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(dirname(path));
    return size;
  } catch (error) {
    await rm(beside, { force: true });
    throw toHavreError(error);
  }
}

/** What such a file holds. Whether it is all of it is for its reader to know. */
export async function* readCompressed(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* through(createReadStream(path, { highWaterMark: 256 << 10 }), createZstdDecompress());
  } catch (error) {
    throw toHavreError(error);
  }
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  coder: ReturnType<typeof createZstdCompress>,
): AsyncGenerator<Uint8Array> {
  const input = Readable.from(source, { objectMode: false });
  input.on("error", (error) => coder.destroy(error));
  try {
    for await (const bytes of input.pipe(coder)) yield bytes;
  } finally {
    input.destroy();
    coder.destroy();
  }
}
