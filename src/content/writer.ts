import type { FileHandle } from "node:fs/promises";
import { writeAll } from "../base/mod.ts";

const GATHER = 512 * 1024;

/** Writes chunks in order, small ones gathered; one write is under way while the next chunks are hashed. */
export class GatheringWriter {
  readonly #file: FileHandle;
  #parts: Uint8Array[] = [];
  #size = 0;
  #underWay: Promise<void> | undefined;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= GATHER) await this.#start();
  }

  async flush(): Promise<void> {
    await this.#start();
    await this.#underWay;
  }

  /** Resolves when no write is under way any more, whatever became of it: the file may be closed. */
  async settled(): Promise<void> {
    await this.#underWay?.catch(() => {});
  }

  async #start(): Promise<void> {
    await this.#underWay;
    const parts = this.#parts;
    this.#parts = [];
    this.#size = 0;
    this.#underWay = parts.length === 0 ? undefined : writeParts(this.#file, parts);
    // A failure is thrown by the next `write` or `flush`; until then it must not count as unhandled.
    this.#underWay?.catch(() => {});
  }
}

async function writeParts(file: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  const [only] = parts;
  await writeAll(file, parts.length === 1 && only ? only : Buffer.concat(parts));
}
