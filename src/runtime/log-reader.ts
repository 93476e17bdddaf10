import { closeSync, fstatSync, readSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { inodeOf, type LogFile, openGenerations } from "./log-files.ts";
import { LogFormatter, type LogSelection } from "./log-format.ts";
import { findTail } from "./log-tail.ts";
import type { OutputChunk } from "./runtime.ts";

export interface LogQuery extends LogSelection {
  /** Lines from the end; undefined: all. */
  readonly tail?: number;
  /** Goes on with what is written until this settles (the container is gone) or the signal aborts. */
  readonly follow?: { readonly ended: Promise<unknown> };
  readonly signal?: AbortSignal;
}

const BLOCK = 1 << 20;

/**
 * A log's lines in batches: neighbouring lines of one stream come as one chunk. All generations, oldest first.
 * Lines that the supervisor cut are joined; `timestamps` puts RFC 3339 time with nine decimals before each line.
 */
export async function* readLog(path: string, query: LogQuery): AsyncGenerator<OutputChunk> {
  const formatter = new LogFormatter(query);
  const files = openGenerations(path);
  try {
    const begin = query.tail === undefined ? { file: 0, offset: 0 } : findTail(files, query.tail);
    // Watching starts before the last reading, so that nothing falls between.
    using changes = query.follow === undefined ? undefined : new LogChanges(path, query.follow.ended, query.signal);
    let cursor: Cursor | undefined;
    for (let index = begin.file; index < files.length; index++) {
      const file = files[index];
      if (file === undefined) break;
      cursor = { file, offset: index === begin.file ? begin.offset : 0, rest: EMPTY };
      yield* readToEnd(cursor, formatter, query.signal);
    }
    if (changes !== undefined) yield* follow(path, files, cursor, formatter, changes, query.signal);
  } finally {
    for (const { fd } of files) closeSync(fd);
  }
}

const EMPTY = Buffer.alloc(0);

interface Cursor {
  readonly file: LogFile;
  offset: number;
  /** The beginning of a record whose end is not written yet. */
  rest: Buffer;
}

async function* readToEnd(cursor: Cursor, formatter: LogFormatter, signal?: AbortSignal): AsyncGenerator<OutputChunk> {
  while (!formatter.finished && signal?.aborted !== true) {
    const size = fstatSync(cursor.file.fd).size - cursor.offset;
    if (size <= 0) return;
    const block = Buffer.allocUnsafeSlow(cursor.rest.length + Math.min(size, BLOCK));
    cursor.rest.copy(block);
    const count = readSync(cursor.file.fd, block, cursor.rest.length, block.length - cursor.rest.length, cursor.offset);
    if (count === 0) return;
    cursor.offset += count;
    const length = cursor.rest.length + count;
    // Formatting overwrites the block: the unfinished record is copied out first.
    const end = block.subarray(0, length).lastIndexOf(10) + 1;
    cursor.rest = end === length ? EMPTY : Buffer.from(block.subarray(end, length));
    yield* formatter.format(block, end).chunks;
  }
}

async function* follow(
  path: string,
  files: LogFile[],
  last: Cursor | undefined,
  formatter: LogFormatter,
  changes: LogChanges,
  signal?: AbortSignal,
): AsyncGenerator<OutputChunk> {
  let cursor = last;
  for (;;) {
    const final = changes.over;
    for (;;) {
      if (cursor !== undefined) yield* readToEnd(cursor, formatter, signal);
      const next = nextGeneration(path, files, cursor);
      if (next === undefined) break;
      cursor = { file: next, offset: 0, rest: EMPTY };
    }
    if (final || formatter.finished || signal?.aborted === true) return;
    await changes.next();
  }
}

/** The file that was begun after the cursor's, kept open in `files`; undefined: the cursor's is the live one. */
function nextGeneration(path: string, files: LogFile[], cursor: Cursor | undefined): LogFile | undefined {
  if (cursor !== undefined && inodeOf(path) === cursor.file.inode) return undefined;
  const generations = openGenerations(path);
  // Not found: it was dropped, and all that are there are newer.
  const at = generations.findIndex(({ inode }) => inode === cursor?.file.inode);
  const next = generations[at + 1];
  for (const file of generations) if (file !== next) closeSync(file.fd);
  if (next !== undefined) files.push(next);
  return next;
}

/** Wakes a follower when the log's folder changes, the container is gone, or the reader leaves. */
class LogChanges implements Disposable {
  #wake: (() => void) | undefined;
  #changed = false;
  /** Nothing more will be written. */
  over = false;
  readonly #watcher: ReturnType<typeof watch>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#notify();

  constructor(path: string, ended: Promise<unknown>, signal: AbortSignal | undefined) {
    const name = basename(path);
    this.#watcher = watch(dirname(path), { persistent: false }, (_event, changed) => {
      if (changed === null || changed === name) this.#notify();
    });
    this.#watcher.on("error", () => this.#end());
    void ended.then(
      () => this.#end(),
      () => this.#end(),
    );
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  async next(): Promise<void> {
    if (!this.#changed && !this.over && this.#signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#changed = false;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  #notify(): void {
    this.#changed = true;
    this.#wake?.();
  }

  #end(): void {
    this.over = true;
    this.#notify();
  }
}
