import { packWholeTree } from "../snapshots/mod.ts";
import type { PlatformFiles } from "./build-request.ts";
import { FolderSource } from "./ops/files/folder-source.ts";
import { archiveOf, SideBySide } from "./ops/files/side-by-side.ts";
import type { FileSource } from "./ops/files/source.ts";

/** The files of a result; of several platforms each below `os_architecture`, as BuildKit has it. `held` gets what is to be disposed. */
export function resultFiles(files: readonly PlatformFiles[], held: DisposableStack): FileSource {
  const sources = files.map(({ platform, folder }) => {
    const { os, architecture, variant } = platform;
    const name = [os, architecture, variant].filter(Boolean).join("_");
    return [name, held.use(new FolderSource(folder))] as const;
  });
  const [only] = sources;
  return only && sources.length === 1 ? only[1] : new SideBySide(sources);
}

/** The same as an archive. */
export async function* resultArchive(files: readonly PlatformFiles[], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const [only] = files;
  if (only && files.length === 1) {
    yield* packWholeTree(only.folder, signal);
    return;
  }
  using held = new DisposableStack();
  for (const bytes of archiveOf(resultFiles(files, held))) {
    signal.throwIfAborted();
    yield bytes;
  }
}
