import type { OutputChunk } from "./runtime.ts";

/**
 * The log files' form is CRI's, as conmon writes it with TZ=UTC: `2026-01-02T03:04:05.123456789+00:00 stdout F text\n`.
 * Everything before the text has a fixed width. Tag P: the line goes on in the stream's next record.
 */
export const HEADER = 45;
/** Where in a record the tag is: what is read beyond a block to see the tag of a record that starts at its end. */
export const TAG_AT = 43;
const STAMP = 29;
const STREAM_LETTER_AT = 39;
const SPACE = 32;
const NEWLINE = 10;
const LETTER_E = 101;
export const TAG_PARTIAL = 80;

export interface LogSelection {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly timestamps: boolean;
  /** Milliseconds since the epoch, both inclusive. */
  readonly since?: number;
  readonly until?: number;
}

/** Turns records into output, in place: what comes out of a record is never longer than the record. */
export class LogFormatter {
  readonly #selection: LogSelection;
  #since: string | undefined;
  readonly #until: string | undefined;
  /** By stream: its last record was partial, the next continues the line. */
  readonly #continues = { stdout: false, stderr: false };
  /** A record after `until` was seen: nothing later is wanted. */
  finished = false;

  constructor(selection: LogSelection) {
    this.#selection = selection;
    this.#since = selection.since === undefined ? undefined : stamp(selection.since, -1);
    this.#until = selection.until === undefined ? undefined : stamp(selection.until, 1);
  }

  /**
   * Formats the whole records in `block[0, length)`. The chunks are views of `block`, which is overwritten.
   * `consumed`: bytes up to the last whole record's end.
   */
  format(block: Buffer, length: number): { readonly chunks: OutputChunk[]; readonly consumed: number } {
    const { stdout, stderr, timestamps } = this.#selection;
    const chunks: OutputChunk[] = [];
    let start = 0;
    let out = 0;
    let runStart = 0;
    let runIsError = false;
    const endRun = () => {
      if (out > runStart)
        chunks.push({ stream: runIsError ? "stderr" : "stdout", data: block.subarray(runStart, out) });
      runStart = out;
    };
    while (start < length && !this.finished) {
      const whole = block[start + HEADER - 1] === SPACE && block[start + STAMP + 6] === SPACE;
      // A record torn by a full disk has no header: it is passed over.
      const end = block.indexOf(NEWLINE, whole ? start + HEADER : start);
      if (end < 0 || end >= length) break;
      const next = end + 1;
      const isError = block[start + STREAM_LETTER_AT] === LETTER_E;
      if (whole && (isError ? stderr : stdout) && this.#inTime(block, start)) {
        const partial = block[start + TAG_AT] === TAG_PARTIAL;
        const name = isError ? "stderr" : "stdout";
        if (isError !== runIsError) {
          endRun();
          runIsError = isError;
        }
        if (timestamps && !this.#continues[name]) {
          block.copyWithin(out, start, start + STAMP);
          block[out + STAMP] = 90; // Z
          block[out + STAMP + 1] = SPACE;
          out += STAMP + 2;
        }
        this.#continues[name] = partial;
        const textEnd = partial ? end : next;
        block.copyWithin(out, start + HEADER, textEnd);
        out += textEnd - start - HEADER;
      }
      start = next;
    }
    endRun();
    return { chunks, consumed: start };
  }

  #inTime(block: Buffer, start: number): boolean {
    if (this.#since === undefined && this.#until === undefined) return true;
    const at = block.toString("latin1", start, start + STAMP);
    if (this.#since !== undefined) {
      if (at < this.#since) return false;
      // Records are in order: from here on all are late enough.
      this.#since = undefined;
    }
    if (this.#until !== undefined && at > this.#until) {
      this.finished = true;
      return false;
    }
    return true;
  }
}

/**
 * Milliseconds since the epoch in the records' own form, to be compared as text. A number cannot hold nanoseconds since
 * the epoch: it is moved outwards (-1: earlier) to a microsecond, so that a line's own time selects that line.
 */
function stamp(ms: number, outwards: -1 | 1): string {
  const micros = outwards < 0 ? Math.floor(ms * 1000 - 0.5) : Math.ceil(ms * 1000 + 0.5);
  const fraction = ((micros % 1e6) + 1e6) % 1e6;
  const seconds = new Date((micros - fraction) / 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(fraction).padStart(6, "0")}000`;
}
