import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { type Digest, Digester, digestAlgorithm, HavreError, toHavreError } from "../base/mod.ts";
import type { BlobInfo, Expected, Ingest } from "./content.ts";
import { verified } from "./verify.ts";
import { GatheringWriter } from "./writer.ts";

/** The file that keeps what came so far under a key, whatever characters the key has. */
export function ingestFileName(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** One blob on its way in, in a file of its own; `publish` makes the file a blob. */
export class FileIngest implements Ingest {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #writer: GatheringWriter;
  readonly #publish: (path: string, digest: Digest) => Promise<void>;
  readonly #closed: () => void;
  /** Of everything written; undefined when the first bytes came to another process, and must be read again. */
  readonly #digester: Digester | undefined;
  #offset: number;
  #open = true;

  static async open(
    path: string,
    publish: (path: string, digest: Digest) => Promise<void>,
    closed: () => void,
  ): Promise<FileIngest> {
    const file = await open(path, "a", 0o600);
    const { size } = await file.stat();
    return new FileIngest(path, file, size, publish, closed);
  }

  private constructor(
    path: string,
    file: FileHandle,
    offset: number,
    publish: (path: string, digest: Digest) => Promise<void>,
    closed: () => void,
  ) {
    this.path = path;
    this.#file = file;
    this.#writer = new GatheringWriter(file);
    this.#offset = offset;
    this.#publish = publish;
    this.#closed = closed;
    this.#digester = offset === 0 ? new Digester() : undefined;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#digester?.update(chunk);
    this.#offset += chunk.byteLength;
    await this.#writer.write(chunk);
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  async commit(expected: Expected = {}): Promise<BlobInfo> {
    try {
      await this.#writer.flush();
      const info = verified(await this.#digest(expected), expected);
      await this.#file.sync();
      await this.#publish(this.path, info.digest);
      return info;
    } catch (error) {
      const failure = toHavreError(error);
      // Bytes that are not what was promised would only be continued into something wrong again.
      if (failure.kind === "data-loss") {
        await this.discard().catch((problem: unknown) => failure.cleanUpFailures.push(problem));
      }
      throw failure;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  discard(): Promise<void> {
    return this.#close(() => rm(this.path, { force: true }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close(async () => {});
  }

  /** `last` is done before the key is free: who takes it next must not find, or lose, what was this one's. */
  async #close(last: () => Promise<void>): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    try {
      await this.#writer.flush().catch(() => {}); // What could not be written is not there to be continued from.
      await this.#writer.settled();
      await this.#file.close();
      await last();
    } finally {
      this.#closed();
    }
  }

  async #digest({ digest }: Expected): Promise<Digester> {
    const algorithm = digest === undefined ? "sha256" : digestAlgorithm(digest);
    if (this.#digester && algorithm === "sha256") return this.#digester;
    const again = new Digester(algorithm);
    for await (const chunk of createReadStream(this.path, { highWaterMark: 1 << 20 })) again.update(chunk);
    return again;
  }
}

/** `conflict`: two at once would write into each other. */
export function refuseSecond(key: string): never {
  throw new HavreError("conflict", `Ingest ${key} is being written already`);
}
