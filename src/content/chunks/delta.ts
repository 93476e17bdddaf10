/**
 * A blob as it is sent to where parts of it are already: 4 bytes (big-endian) with the length of a recipe, the recipe as
 * JSON, `[bytes]` for what follows and `[bytes, digest, offset]` for what is there, then what follows, in order.
 */
import { type Digest, HavreError, isDigest } from "../../base/mod.ts";
import type { Part, Place } from "./recipe.ts";

export const DELTA_TYPE = "application/vnd.havre.blob.delta.v1";

/** Of a recipe; one for 100 GB of which every other chunk changed is as large. */
const LONGEST_RECIPE = 32 << 20;

/** Reads `length` bytes of a blob that is there. */
export type ReadPlace = (place: Place, length: number) => AsyncIterable<Uint8Array>;

/** What goes before the bytes that are not there. */
export function encodeRecipe(parts: readonly Part[]): Uint8Array {
  const json = Buffer.from(
    JSON.stringify(parts.map(({ length, from }) => (from ? [length, from.digest, from.offset] : [length]))),
  );
  const head = Buffer.alloc(4);
  head.writeUInt32BE(json.length);
  return Buffer.concat([head, json]);
}

/**
 * The bytes of the blob. `check` is told of every blob that the recipe names before anything is read, and may throw.
 * `invalid-argument` when the recipe is none, or other bytes follow than it says.
 */
export async function* undelta(
  delta: AsyncIterable<Uint8Array>,
  check: (digests: ReadonlySet<Digest>) => void,
  read: ReadPlace,
): AsyncGenerator<Uint8Array> {
  const source = new Source(delta);
  try {
    const size = Buffer.from(await source.exactly(4)).readUInt32BE();
    if (size > LONGEST_RECIPE) throw wrong(`a recipe of ${size} bytes`);
    const parts = parseRecipe(await source.exactly(size));
    check(new Set(parts.flatMap(({ from }) => (from ? [from.digest] : []))));
    for (const { length, from } of parts) yield* from ? read(from, length) : source.next(length);
    if (!(await source.isAtEnd())) throw wrong("more bytes than its recipe says");
  } finally {
    await source.close();
  }
}

function parseRecipe(json: Uint8Array): readonly Part[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(json).toString("utf8"));
  } catch {
    parsed = undefined;
  }
  if (!Array.isArray(parsed)) throw wrong("a recipe that is no JSON array");
  return parsed.map(parsePart);
}

function parsePart(value: unknown): Part {
  const [length, digest, offset] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (isCount(length) && length > 0) {
    if (digest === undefined) return { length };
    if (typeof digest === "string" && isDigest(digest) && isCount(offset)) return { length, from: { digest, offset } };
  }
  throw wrong(`${JSON.stringify(value)} in its recipe`);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Takes bytes off a stream by their number. */
class Source {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #left: Uint8Array = new Uint8Array();

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  async *next(length: number): AsyncGenerator<Uint8Array> {
    for (let wanted = length; wanted > 0; ) {
      if (!(await this.#fill())) throw wrong("fewer bytes than its recipe says");
      const chunk = this.#left.subarray(0, wanted);
      this.#left = this.#left.subarray(chunk.length);
      wanted -= chunk.length;
      yield chunk;
    }
  }

  async exactly(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.next(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async isAtEnd(): Promise<boolean> {
    return !(await this.#fill());
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#left.length === 0) {
      const next = await this.#iterator.next();
      if (next.done) return false;
      this.#left = next.value;
    }
    return true;
  }
}

function wrong(what: string): HavreError {
  return new HavreError("invalid-argument", `The delta of a blob has ${what}`);
}
