import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { abortable, errnoOf, HavreError } from "../base/mod.ts";
import { ZstdFrames } from "./zstd-frames.ts";

export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];
const LONGEST_MAGIC = 6;

/** The compression that the first bytes of a stream announce; a zstd stream may open with a skippable frame. */
export function detectCompression(head: Uint8Array): Compression {
  const found = MAGIC.find(([, magic]) => magic.every((byte, at) => head[at] === byte));
  if (found) return found[0];
  const skippable = head.length >= 4 && ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d;
  return skippable && head[3] === 0x18 ? "zstd" : "none";
}

/** The compression of a file. */
export async function compressionOf(path: string): Promise<Compression> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(LONGEST_MAGIC);
    const { bytesRead } = await file.read(head, 0, LONGEST_MAGIC, 0);
    return detectCompression(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** `source` without its compression, whichever it is. `data-loss` when it is damaged or ends early. */
export async function* decompress(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { head, rest } = await readHead(abortable(source, signal), LONGEST_MAGIC);
  const compression = detectCompression(head);
  if (compression === "none") yield* rest;
  else yield* inflate(compression, rest, signal);
}

/** Takes at least `wanted` bytes (fewer only at the end) off the front without losing them. */
async function readHead(
  source: AsyncIterable<Uint8Array>,
  wanted: number,
): Promise<{ head: Uint8Array; rest: AsyncGenerator<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let size = 0;
  while (size < wanted) {
    const next = await iterator.next();
    if (next.done) break;
    first.push(next.value);
    size += next.value.byteLength;
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(first.map((chunk) => chunk.subarray(0, wanted))).subarray(0, wanted), rest: rest() };
}

async function* inflate(
  compression: Exclude<Compression, "none">,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (compression === "bzip2" || compression === "xz") {
    yield* inflateWithProgram(compression, source, signal);
    return;
  }
  const chunkSize = 256 * 1024;
  const inflater = compression === "gzip" ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
  const frames = compression === "zstd" ? new ZstdFrames() : undefined;
  const input = Readable.from(frames ? followed(source, frames) : source, {
    objectMode: false,
    highWaterMark: chunkSize,
  });
  let sourceFailure: unknown;
  input.on("error", (error) => {
    sourceFailure = error;
    inflater.destroy(error);
  });
  input.pipe(inflater);
  try {
    for await (const chunk of inflater) yield chunk as Uint8Array;
    if (frames && !frames.complete) throw new Error("The last frame is not complete");
  } catch (error) {
    if (sourceFailure !== undefined) throw sourceFailure;
    if (isHavreOrAbort(error)) throw error;
    throw new HavreError("data-loss", `The ${compression} stream is damaged or ends early`, { cause: error });
  } finally {
    input.destroy();
    inflater.destroy();
  }
}

async function* followed(source: AsyncIterable<Uint8Array>, frames: ZstdFrames): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    frames.write(chunk);
    yield chunk;
  }
}

function isHavreOrAbort(error: unknown): boolean {
  return error instanceof HavreError || (error instanceof Error && error.name === "AbortError");
}

async function* inflateWithProgram(
  program: "bzip2" | "xz",
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const child = spawn(program, ["-d", "-c"], { stdio: ["pipe", "pipe", "pipe"], ...(signal ? { signal } : {}) });
  const { promise: ended, resolve: end } = Promise.withResolvers<{ code: number | null; error?: unknown }>();
  child.once("error", (error) => end({ code: null, error }));
  child.once("close", (code) => end({ code }));
  let complaint = "";
  child.stderr.on("data", (data: Buffer) => {
    if (complaint.length < 1000) complaint += data.toString();
  });
  const input = Readable.from(source, { objectMode: false });
  let sourceFailure: unknown;
  input.once("error", (error) => {
    sourceFailure = error;
    child.kill("SIGKILL");
  });
  // The program may stop reading early (damage); its exit code says why.
  child.stdin.on("error", () => input.destroy());
  input.pipe(child.stdin);
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    const { code, error } = await ended;
    if (sourceFailure !== undefined) throw sourceFailure;
    if (errnoOf(error) === "ENOENT") {
      throw new HavreError("failed-precondition", `The archive is compressed with ${program}, which is not installed`, {
        cause: error,
        hint: `Install ${program === "xz" ? "xz-utils" : program}, or give the archive plain, gzip or zstd`,
      });
    }
    if (error !== undefined) throw error;
    if (code !== 0) throw new HavreError("data-loss", `The ${program} stream is damaged: ${complaint.trim()}`);
  } finally {
    input.destroy();
    child.kill("SIGKILL");
  }
}
