import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { errnoOf, HavreError, syncFolder, toHavreError, writeAll } from "../../base/mod.ts";
import { cutShort, heldBack } from "./marks.ts";
import { ageDecrypter, ageEncrypter, type Lock, type Opener, openingFailure } from "./sealing.ts";

const AGE = Buffer.from("age-encryption.org/v1\n");
const END_FRAME = 16;
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/**
 * Writes a backup into one file: zstd, then age if it is to be locked, so that `age -d | zstd -d | tar -x` reads it too. The
 * file is there whole or not at all; one of that name is replaced only then.
 */
export async function writeBackupFile(path: string, archive: AsyncIterable<Uint8Array>, lock?: Lock): Promise<number> {
  const beside = `${path}.${process.pid}.new`;
  try {
    const file = await open(beside, "wx", 0o600);
    let size = 0;
    try {
      for await (const bytes of locked(compressed(archive), lock)) {
        await writeAll(file, bytes);
        size += bytes.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(dirname(path));
    return size;
  } catch (error) {
    // One of another backup under way is not ours to take away.
    if (errnoOf(error) !== "EEXIST") await rm(beside, { force: true });
    if (errnoOf(error) === "ENOENT") throw named(error, dirname(path));
    throw named(error, path);
  }
}

/** The archive in a file, unlocked and unpacked, whichever of the layers it has. */
export async function* readBackupFile(path: string, opener: Opener = {}): AsyncGenerator<Uint8Array> {
  await using file = openFile(path);
  const [begin, whole] = await peek(file.bytes, AGE.length, (error) => named(error, path));
  if (!begin.subarray(0, AGE.length).equals(AGE)) {
    yield* decompressed(begin, whole);
    return;
  }
  try {
    const clear = await ageDecrypter(opener).decrypt(toWeb(whole));
    const [inner, rest] = await peek(clear as unknown as AsyncIterable<Uint8Array>, ZSTD.length, openingFailure);
    yield* decompressed(inner, rest);
  } catch (error) {
    throw openingFailure(error);
  }
}

/** Closed when disposed, not only told to close: its file system may be unmounted then. */
function openFile(path: string): AsyncDisposable & { readonly bytes: AsyncIterable<Uint8Array> } {
  const stream = createReadStream(path, { highWaterMark: 256 << 10 });
  const closed = new Promise<void>((resolve) => stream.once("close", resolve));
  // Told to whoever reads; one that is closed early has no reader any more.
  stream.on("error", () => {});
  return {
    bytes: stream as AsyncIterable<Uint8Array>,
    [Symbol.asyncDispose]: () => {
      stream.destroy();
      return closed;
    },
  };
}

/** A frame that decoders skip (RFC 8878, 3.1.2), with the length of all before it. */
function endFrame(length: number): Buffer {
  const frame = Buffer.alloc(END_FRAME);
  frame.writeUInt32LE(0x184d2a50, 0);
  frame.writeUInt32LE(END_FRAME - 8, 4);
  frame.writeBigUInt64LE(BigInt(length), 8);
  return frame;
}

/** Without its end frame, which must be there: the decoder does not tell when its input is cut short. */
async function* untilEndFrame(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const { kind, bytes } of heldBack(source, END_FRAME)) {
    if (kind === "body") {
      length += bytes.length;
      yield bytes;
    } else if (!endFrame(length).equals(bytes)) throw cutShort();
  }
}

async function* decompressed(begin: Buffer, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (!begin.subarray(0, ZSTD.length).equals(ZSTD)) {
    yield* source;
    return;
  }
  const zstd = createZstdDecompress();
  const input = Readable.from(untilEndFrame(source), { objectMode: false });
  input.on("error", (error) => zstd.destroy(error));
  try {
    for await (const bytes of input.pipe(zstd)) yield bytes;
  } catch (error) {
    if (error instanceof HavreError || errnoOf(error)?.startsWith("Z") !== true) throw error;
    throw new HavreError("data-loss", "The backup is cut short or damaged: its compression is broken", {
      cause: error,
      hint: "Nothing was changed; use another backup",
    });
  } finally {
    input.destroy();
    zstd.destroy();
  }
}

async function* compressed(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const zstd = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const input = Readable.from(archive, { objectMode: false });
  input.on("error", (error) => zstd.destroy(error));
  try {
    let length = 0;
    for await (const bytes of input.pipe(zstd)) {
      length += bytes.length;
      yield bytes;
    }
    yield endFrame(length);
  } finally {
    input.destroy();
    zstd.destroy();
  }
}

async function* locked(bytes: AsyncIterable<Uint8Array>, lock: Lock | undefined): AsyncGenerator<Uint8Array> {
  if (lock === undefined) yield* bytes;
  else yield* (await ageEncrypter(lock).encrypt(toWeb(bytes))) as unknown as AsyncIterable<Uint8Array>;
}

function toWeb(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const input = source[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await input.next();
        if (done) controller.close();
        else controller.enqueue(new Uint8Array(value));
      } catch (error) {
        controller.error(error);
      }
    },
    async cancel() {
      await input.return?.();
    },
  });
}

/** The first `length` bytes, or fewer where there are no more, and everything from the beginning. */
async function peek(
  source: AsyncIterable<Uint8Array>,
  length: number,
  failure: (error: unknown) => HavreError,
): Promise<readonly [Buffer, AsyncIterable<Uint8Array>]> {
  const input = source[Symbol.asyncIterator]();
  let begin = Buffer.alloc(0);
  try {
    for (let next = await input.next(); !next.done; next = await input.next()) {
      begin = Buffer.concat([begin, next.value]);
      if (begin.length >= length) break;
    }
  } catch (error) {
    throw failure(error);
  }
  const all = async function* () {
    try {
      yield begin;
      for (let next = await input.next(); !next.done; next = await input.next()) yield next.value;
    } finally {
      await input.return?.();
    }
  };
  return [begin, all()];
}

/** A system's error said to be about the backup. */
export function named(error: unknown, path: string): HavreError {
  if (error instanceof HavreError) return error;
  if (errnoOf(error) === "ENOENT")
    return new HavreError("not-found", `${path} is not there`, {
      cause: error,
      hint: "Paths are those of the daemon's host",
    });
  const known = toHavreError(error);
  const hint = known.hint === undefined ? {} : { hint: known.hint };
  return new HavreError(known.kind, `Backup ${path}: ${known.message}`, { cause: error, ...hint });
}
