import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { abortable, type Digest, HavreError } from "../../../base/mod.ts";
import { type ByteName, fromBytes } from "../../../snapshots/mod.ts";
import type { HttpOp } from "../../graph/ops.ts";
import type { OpContext } from "../context.ts";
import type { FileSource, SourceFile } from "./source.ts";

const CHUNK = 256 * 1024;
/** What a download that nobody gave a mode has (Docker's). */
const MODE = 0o600;

/** A file of the web, as the one file of a source. */
export class Download implements FileSource, Disposable {
  readonly #fd: number;
  readonly #file: SourceFile;
  readonly #digest: Digest;

  constructor(fd: number, file: SourceFile, digest: Digest) {
    this.#fd = fd;
    this.#file = file;
    this.#digest = digest;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** As it arrived. */
  get content(): AsyncIterable<Uint8Array> {
    return asStream(this.read(this.#file));
  }

  stat(path: ByteName): SourceFile | undefined {
    if (path === this.#file.path) return this.#file;
    return path === "" ? { ...this.#file, path: "", type: "directory", mode: 0o755, size: 0 } : undefined;
  }

  list(path: ByteName): readonly ByteName[] {
    return path === "" ? [this.#file.path] : [];
  }

  digest(): Digest {
    return this.#digest;
  }

  *read(file: SourceFile): Generator<Uint8Array> {
    for (let done = 0; done < file.size; ) {
      const buffer = new Uint8Array(Math.min(CHUNK, file.size - done));
      const count = readSync(this.#fd, buffer, 0, buffer.length, done);
      if (count === 0) return;
      done += count;
      yield buffer.subarray(0, count);
    }
  }
}

async function* asStream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/**
 * Fetches a file of the web whole. `unavailable` when the server cannot be reached or refuses, `data-loss` when it is not
 * what `checksum` says. `name`: what it is called in the source.
 */
export async function download(
  context: Pick<OpContext, "root" | "newId">,
  { url, checksum, name }: HttpOp,
  signal: AbortSignal,
  onBytes: (current: number, total: number) => void = () => {},
): Promise<Download> {
  const response = await ask(url, signal);
  const path = join(context.root, "contexts", context.newId());
  const fd = openSync(path, "wx+", 0o600);
  // Open, it stays readable; nothing is left when this daemon is killed.
  rmSync(path);
  try {
    const hash = createHash("sha256");
    const total = Number(response.headers.get("content-length") ?? 0);
    let size = 0;
    for await (const chunk of abortable(response.body as AsyncIterable<Uint8Array>, signal)) {
      hash.update(chunk);
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done, chunk.length - done, size + done);
      size += chunk.length;
      onBytes(size, total);
    }
    const digest: Digest = `sha256:${hash.digest("hex")}`;
    if (checksum !== undefined && checksum !== digest) {
      throw new HavreError("data-loss", `digest mismatch ${digest}: ${checksum}`, {
        hint: `${url} is not what the Dockerfile expects`,
      });
    }
    return new Download(fd, describe(name, size, response.headers.get("last-modified")), digest);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

async function ask(url: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HavreError("unavailable", `failed to load ${url}: ${why}`, { cause });
  }
  if (response.ok && response.body) return response;
  void response.body?.cancel();
  throw new HavreError(
    response.status === 404 ? "not-found" : "unavailable",
    `invalid response status ${response.status} for ${url}`,
  );
}

function describe(name: string, size: number, modified: string | null): SourceFile {
  const at = Date.parse(modified ?? "");
  return {
    path: fromBytes(Buffer.from(name)),
    type: "file",
    mode: MODE,
    uid: 0,
    gid: 0,
    mtime: Number.isNaN(at) ? 0n : BigInt(at) * 1_000_000n,
    size,
    linkTarget: "",
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map(),
    identity: undefined,
  };
}
