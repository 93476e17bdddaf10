import { check, libcSymbols } from "./libc.ts";

const libc = libcSymbols({
  getdents64: { args: ["int", "ptr", "u64"], returns: "int" },
});

const BUFFER = 64 * 1024;

/** A name in a folder. `type` is DT_* of readdir(3), 0 where the file system does not say. */
export interface DirectoryEntry {
  readonly name: Uint8Array;
  readonly type: number;
}

export const DT_DIR = 4;

/** What the folder behind `fd` holds from where its offset stands, without `.` and `..`, as the kernel lists it. */
export function* readDirectory(fd: number): Generator<DirectoryEntry> {
  const buffer = new Uint8Array(BUFFER);
  const view = new DataView(buffer.buffer);
  for (;;) {
    const filled = check(libc().getdents64(fd, buffer, BUFFER), "getdents64", `descriptor ${fd}`);
    if (filled === 0) return;
    for (let at = 0; at < filled; at += view.getUint16(at + 16, true)) {
      const start = at + 19;
      const name = buffer.slice(start, buffer.indexOf(0, start));
      const dots = name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
      if (!dots) yield { name, type: buffer[at + 18] ?? 0 };
    }
  }
}
