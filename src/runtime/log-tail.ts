import { fstatSync, readSync } from "node:fs";
import type { LogFile } from "./log-files.ts";
import { TAG_AT, TAG_PARTIAL } from "./log-format.ts";

const BLOCK = 256 * 1024;
const NEWLINE = 10;

/** Where the last `lines` lines begin, found from the end without reading what is before. `files`: oldest first. */
export function findTail(files: readonly LogFile[], lines: number): { readonly file: number; readonly offset: number } {
  const last = files.length - 1;
  const lastFile = files[last];
  if (lastFile === undefined) return { file: 0, offset: 0 };
  if (lines <= 0) return { file: last, offset: fstatSync(lastFile.fd).size };
  let found = 0;
  let newest = true;
  for (let index = last; index >= 0; index--) {
    const file = files[index];
    if (file === undefined) break;
    for (const { start, end, partial } of recordsBackwards(file.fd)) {
      // A line ends with a record that is not partial, or with the log.
      if (!partial || newest) {
        if (found === lines) return { file: index, offset: end };
        found++;
      }
      newest = false;
      if (start === 0) break;
    }
  }
  return { file: 0, offset: 0 };
}

interface RecordSpan {
  readonly start: number;
  /** Offset just behind its newline. */
  readonly end: number;
  readonly partial: boolean;
}

function* recordsBackwards(fd: number): Generator<RecordSpan> {
  const size = fstatSync(fd).size;
  let end = -1;
  let to = size;
  while (to > 0) {
    const from = Math.max(0, to - BLOCK);
    // A little beyond, to see the tag of a record that starts at the block's end.
    const buffer = Buffer.allocUnsafe(Math.min(size, to + TAG_AT + 2) - from);
    const count = readSync(fd, buffer, 0, buffer.length, from);
    const block = buffer.subarray(0, count);
    for (let at = block.lastIndexOf(NEWLINE, to - from - 1); at >= 0; ) {
      const start = from + at + 1;
      if (end >= 0) yield { start, end, partial: block[at + 1 + TAG_AT] === TAG_PARTIAL };
      end = start;
      if (at === 0) break;
      at = block.lastIndexOf(NEWLINE, at - 1);
    }
    if (from === 0 && end > 0) yield { start: 0, end, partial: block[TAG_AT] === TAG_PARTIAL };
    to = from;
  }
}
