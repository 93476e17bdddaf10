import { open } from "node:fs/promises";
import type { Descriptor } from "../../spec/mod.ts";
import type { Context } from "../context.ts";
import type { LayerProgress } from "../pull/layer-progress.ts";
import { ATTEMPTS, isTemporary, type RemoteRepository } from "../registry/remote-repository.ts";

const READ_SIZE = 512 * 1024;

/** Brings one blob to the registry, if it is not there. Returns what `docker push` says of it. */
export async function sendBlob(
  { content }: Context,
  repository: RemoteRepository,
  blob: Descriptor,
  mountFrom: string | undefined,
  progress: LayerProgress | undefined,
  signal?: AbortSignal,
): Promise<string> {
  if (await repository.hasBlob(blob.digest, signal)) return "Layer already exists";
  for (let attempt = 1; ; attempt++) {
    try {
      const mount =
        mountFrom !== undefined && mountFrom !== repository.path ? { digest: blob.digest, from: mountFrom } : undefined;
      const location = await repository.beginUpload(mount, signal);
      if (location === undefined) return `Mounted from ${mountFrom}`;
      await repository.upload(location, blob, () => reading(content.path(blob.digest), progress), signal);
      return "Pushed";
    } catch (error) {
      if (attempt >= ATTEMPTS || !isTemporary(error)) throw error;
      await repository.pause(attempt, signal);
    }
  }
}

/** The bytes as they are sent; the registry checks their digest, so it is not checked here a second time. */
async function* reading(path: string, progress: LayerProgress | undefined): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    for (let current = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_SIZE), 0, READ_SIZE, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      current += bytesRead;
      progress?.pushing(current);
    }
  } finally {
    await file.close();
  }
}
