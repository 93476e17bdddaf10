import { HavreError, toHavreError } from "../../base/mod.ts";
import { nodeFs } from "../node-fs.ts";

const CHUNK = 256 * 1024;
/** Someone else made the shared descriptor non-blocking: look again after this long. */
const RETRY_MS = 5;

/** Reads a descriptor as bytes come. The runtime's own stream objects cost more to load than most commands take. */
export async function* descriptorChunks(fd: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = await readOnce(fd);
    if (chunk === undefined) return;
    yield chunk;
  }
}

export function stdinChunks(): AsyncGenerator<Uint8Array> {
  return descriptorChunks(0);
}

function readOnce(fd: number): Promise<Uint8Array | undefined> {
  const { read } = nodeFs();
  const buffer = Buffer.allocUnsafe(CHUNK);
  return new Promise((resolve, reject) => {
    const attempt = () =>
      read(fd, buffer, 0, CHUNK, null, (error, count) => {
        if (error?.code === "EAGAIN") setTimeout(attempt, RETRY_MS);
        // A terminal that has gone away reads as an error; there is no more input either way.
        else if (error?.code === "EIO") resolve(undefined);
        else if (error) reject(toHavreError(error));
        else resolve(count === 0 ? undefined : buffer.subarray(0, count));
      });
    attempt();
  });
}

/** A file's bytes; errors name the file. */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of nodeFs().createReadStream(path, { highWaterMark: CHUNK })) yield chunk as Uint8Array;
  } catch (error) {
    const { kind, message } = toHavreError(error);
    throw new HavreError(kind, kind === "not-found" ? `open ${path}: no such file or directory` : message, {
      cause: error,
    });
  }
}
