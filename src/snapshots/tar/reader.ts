import { HavreError } from "../../base/mod.ts";
import { DEFAULT_TAR_LIMITS, type TarHeader, type TarLimits } from "./header.ts";
import { TarParser } from "./parser.ts";

/** A member of an archive that is being read. Its content can be taken until the next member is asked for. */
export interface TarEntry {
  readonly header: TarHeader;
  /** The content as it is read from the file: holes as zeros. Not read: it is skipped. */
  body(): AsyncIterable<Uint8Array>;
  /** The whole content; `resource-exhausted` above `limit` bytes. */
  bytes(limit: number): Promise<Uint8Array>;
}

type Event =
  | { readonly kind: "entry"; readonly header: TarHeader }
  | { readonly kind: "data"; readonly bytes: Uint8Array; readonly offset: number }
  | { readonly kind: "finish" };

const ZEROS = new Uint8Array(64 * 1024);

/**
 * Reads an uncompressed archive member by member. Throws what the source throws, `invalid-argument` for a malformed
 * archive and `resource-exhausted` beyond the limits. The source is read to its end.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits: TarLimits = DEFAULT_TAR_LIMITS,
): AsyncGenerator<TarEntry> {
  const events = new EventReader(source, limits);
  try {
    for (;;) {
      const event = await events.next();
      if (!event) return;
      if (event.kind !== "entry") continue;
      const member = new Member(event.header, events);
      yield member;
      await member.skip();
    }
  } finally {
    await events.close();
  }
}

/** Turns the parser's callbacks into events that are pulled. */
class EventReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #parser: TarParser;
  #events: Event[] = [];
  #taken = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>, limits: TarLimits) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#parser = new TarParser(
      {
        entry: (header) => this.#events.push({ kind: "entry", header }),
        data: (bytes, offset) => this.#events.push({ kind: "data", bytes, offset }),
        finish: () => this.#events.push({ kind: "finish" }),
      },
      limits,
    );
  }

  async next(): Promise<Event | undefined> {
    while (this.#taken === this.#events.length) {
      if (this.#ended) return undefined;
      this.#events = [];
      this.#taken = 0;
      const { done, value } = await this.#chunks.next();
      if (done) {
        this.#ended = true;
        this.#parser.end();
      } else this.#parser.write(value);
    }
    return this.#events[this.#taken++];
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#chunks.return?.();
    this.#ended = true;
  }
}

class Member implements TarEntry {
  readonly header: TarHeader;
  readonly #events: EventReader;
  #finished = false;
  #passed = false;

  constructor(header: TarHeader, events: EventReader) {
    this.header = header;
    this.#events = events;
  }

  async *body(): AsyncGenerator<Uint8Array> {
    if (this.#passed) {
      throw new HavreError("internal", `The content of ${this.header.path} was asked for after the next member`);
    }
    let offset = 0;
    for (;;) {
      const event = await this.#next();
      const end = event?.kind === "data" ? event.offset : this.header.size;
      for (; offset < end; offset += Math.min(ZEROS.length, end - offset)) yield ZEROS.subarray(0, end - offset);
      if (event?.kind !== "data") return;
      offset += event.bytes.length;
      yield event.bytes;
    }
  }

  async bytes(limit: number): Promise<Uint8Array> {
    if (this.header.size > limit) {
      throw new HavreError("resource-exhausted", `${this.header.path} in the archive is larger than ${limit} bytes`);
    }
    const parts: Uint8Array[] = [];
    for await (const part of this.body()) parts.push(part);
    return new Uint8Array(Buffer.concat(parts));
  }

  async skip(): Promise<void> {
    this.#passed = true;
    while (!this.#finished) await this.#next();
  }

  async #next(): Promise<Event | undefined> {
    if (this.#finished) return undefined;
    const event = await this.#events.next();
    if (event?.kind !== "data") this.#finished = true;
    return event;
  }
}
