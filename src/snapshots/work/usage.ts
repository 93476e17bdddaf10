import { closeFd, DT_DIR, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, openAt, readDirectory, statAt } from "../../kernel/mod.ts";
import type { Usage } from "../snapshots.ts";
import { PAUSE, type Work } from "./steps.ts";

/** Bytes on disk and inodes of the tree behind `root`, a file with several names counted once. */
export function* usageOf(root: number): Work<Usage> {
  const seen = new Set<bigint>();
  let size = 0;
  let content = 0;
  let inodes = 0;
  function* visit(fd: number): Work<void> {
    for (const { name, type } of readDirectory(fd)) {
      const stat = statAt(fd, name);
      if (type !== DT_DIR && stat.links > 1) {
        if (seen.has(stat.inode)) continue;
        seen.add(stat.inode);
      }
      size += stat.blocks * 512;
      if (type !== DT_DIR) content += stat.size;
      inodes++;
      if (type === DT_DIR) {
        const child = openAt(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        try {
          yield* visit(child);
        } finally {
          closeFd(child);
        }
      }
    }
    yield PAUSE;
  }
  const top = openAt(root, ".", O_RDONLY | O_DIRECTORY);
  try {
    yield* visit(top);
  } finally {
    closeFd(top);
  }
  return { size, content, inodes };
}
