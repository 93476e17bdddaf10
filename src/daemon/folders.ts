import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Where each folder of the platform keeps its own. */
export interface Folders {
  readonly containers: string;
  readonly removedLogs: string;
  readonly bundles: string;
  readonly volumes: string;
  readonly volumeTrash: string;
  readonly parts: string;
  readonly mapped: string;
}

/** Makes what is missing below the durable and the volatile folder. */
export function makeFolders({ root, run }: { readonly root: string; readonly run: string }): Folders {
  const folders: Folders = {
    containers: join(root, "containers"),
    removedLogs: join(root, "removed-logs"),
    bundles: join(run, "bundles"),
    volumes: join(root, "volumes"),
    volumeTrash: join(root, "volumes/.trash"),
    parts: join(run, "parts"),
    mapped: join(run, "mapped"),
  };
  for (const folder of [root, run, ...Object.values(folders)]) mkdirSync(folder, { recursive: true, mode: 0o711 });
  return folders;
}
