import { createHash } from "node:crypto";
import { HavreError } from "../../base/mod.ts";
import { encodeGlobalHeader, TAR_TRAILER } from "../../snapshots/mod.ts";
import { type BackupNote, parseNote } from "./note.ts";

const NOTE = "HAVRE.volume";
const END = "HAVRE.end";
const BLOCK = 512;
/** An end mark and the archive's own end. */
const TAIL = 2 * BLOCK + TAR_TRAILER.length;
const NOTE_LIMIT = 1 << 20;

/**
 * A volume's archive that can travel alone: a tar like any, with a note of what it is at its head and, before its end, how
 * long it must be and its digest. Both are PAX global headers, which tar(1) passes over.
 */
export async function* withMarks(note: BackupNote, tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  const counted = (part: Uint8Array): Uint8Array => {
    hash.update(part);
    bytes += part.length;
    return part;
  };
  yield counted(encodeGlobalHeader([[NOTE, JSON.stringify(note)]]));
  for await (const part of heldBack(tar, TAR_TRAILER.length)) if (part.kind === "body") yield counted(part.bytes);
  yield endMark(bytes, hash.digest("hex"));
  yield TAR_TRAILER;
}

/** Always of one size, so that it is found from the end. */
function endMark(bytes: number, sha256: string): Uint8Array {
  return encodeGlobalHeader([[END, JSON.stringify({ bytes: String(bytes).padStart(20, "0"), sha256 })]]);
}

/**
 * Reads such an archive: its note, and the tar, which fails at its end (`data-loss`) if it was cut short or changed. Nothing
 * of it may be taken for good before that. `invalid-argument` for what is no such archive. `what`: how it is called then.
 */
export async function readMarked(
  source: AsyncIterable<Uint8Array>,
  what = "This",
): Promise<{ readonly note: BackupNote; readonly tar: AsyncIterable<Uint8Array> }> {
  const input = source[Symbol.asyncIterator]();
  let head = new Uint8Array();
  const need = async (length: number): Promise<void> => {
    while (head.length < length) {
      const { done, value } = await input.next();
      if (done) throw cutShort();
      head = Buffer.concat([head, value]);
    }
  };
  await need(BLOCK);
  const size = Number.parseInt(Buffer.from(head.subarray(124, 136)).toString("latin1"), 8);
  const isGlobal =
    head[156] === "g".charCodeAt(0) && Buffer.from(head.subarray(257, 262)).toString("latin1") === "ustar";
  if (!isGlobal || !(size > 0 && size <= NOTE_LIMIT)) throw notOurs(what);
  await need(BLOCK + size);
  const record = Buffer.from(head.subarray(BLOCK, BLOCK + size)).toString();
  const equals = record.indexOf("=");
  if (!record.slice(0, equals).endsWith(` ${NOTE}`)) throw notOurs(what);
  return { note: parseNote(record.slice(equals + 1, -1)), tar: checked(head, input) };
}

async function* checked(head: Uint8Array, input: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const { kind, bytes: part } of heldBack(joined(head, input), TAIL)) {
    if (kind === "body") {
      hash.update(part);
      bytes += part.length;
    } else if (!Buffer.concat([endMark(bytes, hash.digest("hex")), TAR_TRAILER]).equals(part)) throw cutShort();
    yield part;
  }
}

async function* joined(head: Uint8Array, input: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await input.next(); !next.done; next = await input.next()) yield next.value;
  } finally {
    await input.return?.();
  }
}

/** All but the last `size` bytes as they come, then those. */
export async function* heldBack(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly kind: "body" | "tail"; readonly bytes: Uint8Array }> {
  let tail: Uint8Array = new Uint8Array();
  for await (const bytes of source) {
    const all = tail.length === 0 ? bytes : Buffer.concat([tail, bytes]);
    const body = Math.max(0, all.length - size);
    tail = all.slice(body);
    if (body > 0) yield { kind: "body", bytes: all.subarray(0, body) };
  }
  yield { kind: "tail", bytes: tail };
}

export function cutShort(): HavreError {
  return new HavreError("data-loss", "The backup is cut short or damaged: its end does not fit what comes before", {
    hint: "Nothing was changed; use another backup",
  });
}

function notOurs(what: string): HavreError {
  return new HavreError("invalid-argument", `${what} is no backup of a volume`);
}
