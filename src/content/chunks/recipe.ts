import type { Digest } from "../../base/mod.ts";
import type { Chunk } from "./table.ts";

/** Bytes of a blob that is here already. */
export interface Place {
  readonly digest: Digest;
  readonly offset: number;
}

/** The next `length` bytes of a blob that is put together: from a blob that is there, or else they have to come. */
export interface Part {
  readonly length: number;
  readonly from?: Place;
}

/** Below this many bytes a part that is there between two that come is not worth an interruption. */
const WORTH = 16 * 1024;

/** How a blob of `size` bytes that begins with `chunks` is put together from what `find` knows; the rest has to come. */
export function recipeOf(
  size: number,
  chunks: readonly Chunk[],
  find: (name: string) => (Place & { readonly length: number }) | undefined,
): readonly Part[] {
  const parts: Part[] = [];
  let rest = size;
  for (const { length, name } of chunks) {
    const place = find(name);
    add(
      parts,
      place?.length === length ? { length, from: { digest: place.digest, offset: place.offset } } : { length },
    );
    rest -= length;
  }
  if (rest > 0) add(parts, { length: rest });
  return parts
    .map((part) => (part.length < WORTH ? { length: part.length } : part))
    .reduce<Part[]>((all, part) => add(all, part), []);
}

/** Appends; what goes on where the last part ends is one with it. */
function add(parts: Part[], part: Part): Part[] {
  const last = parts.at(-1);
  const length = (last?.length ?? 0) + part.length;
  if (last && !last.from && !part.from) parts[parts.length - 1] = { length };
  else if (last?.from && part.from?.digest === last.from.digest && part.from.offset === last.from.offset + last.length)
    parts[parts.length - 1] = { length, from: last.from };
  else parts.push(part);
  return parts;
}

/** Bytes that are there already. */
export function reusedBytes(parts: readonly Part[]): number {
  return parts.reduce((sum, { length, from }) => sum + (from ? length : 0), 0);
}
