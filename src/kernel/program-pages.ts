import { readFileSync, readlinkSync } from "node:fs";
import { check, libcSymbols } from "./libc.ts";

const libc = libcSymbols({ madvise: { args: ["u64", "u64", "int"], returns: "int" } });

const MADV_DONTNEED = 4;

/**
 * Unmaps the pages of this program's code (madvise(2), MADV_DONTNEED): they stay in the page cache, where the kernel may
 * take them, and come back as they are needed. At every fault the kernel maps what lies around it too, so that a program
 * this large holds several times what it uses. Returns how many bytes were mapped.
 */
export function releaseProgramPages(): number {
  const program = readlinkSync("/proc/self/exe");
  let released = 0;
  for (const { start, end, resident } of codeOf(program)) {
    check(libc().madvise(start, end - start, MADV_DONTNEED), "madvise", program);
    released += resident;
  }
  return released;
}

interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  /** Bytes. */
  readonly resident: number;
}

/** The program's executable mappings, from proc_pid_smaps(5). One with pages of its own would lose what is written there: left alone. */
function codeOf(program: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const part of readFileSync("/proc/self/smaps", "latin1").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+ +(.*)$/m.exec(part);
    if (head?.[3] !== program || !/^Anonymous: +0 kB$/m.test(part)) continue;
    const resident = Number(/^Rss: +(\d+) kB$/m.exec(part)?.[1] ?? 0) * 1024;
    mappings.push({ start: BigInt(`0x${head[1]}`), end: BigInt(`0x${head[2]}`), resident });
  }
  return mappings;
}
