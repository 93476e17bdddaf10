import { HavreError } from "../base/mod.ts";
import type { IdMap } from "../kernel/mod.ts";
import { defineKind } from "../store/mod.ts";

/** Ids of one container, from its creation to its removal. The object's id is the container's. */
export type IdRange = { readonly id: string } & (
  | {
      readonly kind: "own";
      /** The first ids on the host, and how many. */
      readonly uid: number;
      readonly gid: number;
      readonly size: number;
    }
  /** Those of another container, whose namespaces it joins. */
  | { readonly kind: "joined"; readonly container: string }
);
export type OwnIds = Extract<IdRange, { readonly kind: "own" }>;

export const idRangeKind = defineKind<IdRange>("id-range");

/** Where ranges are taken from: `count` ids from `uid` and `gid` on. */
export interface IdSpace {
  readonly uid: number;
  readonly gid: number;
  readonly count: number;
}

/**
 * The lowest place for `size` ids at which none of `taken` is; as an offset into the space. `from`: where to look first.
 * `resource-exhausted`.
 */
export function findFree(space: IdSpace, size: number, taken: readonly OwnIds[], from = 0): number {
  const used = [
    ...taken.map(({ uid, size: length }) => ({ begin: uid - space.uid, end: uid - space.uid + length })),
    ...taken.map(({ gid, size: length }) => ({ begin: gid - space.gid, end: gid - space.gid + length })),
  ].sort((one, other) => one.begin - other.begin);
  const lowest = (start: number, limit: number) => {
    let at = start;
    for (const { begin, end } of used) {
      if (begin >= at + size) break;
      if (end > at) at = end;
    }
    return at + size <= limit ? at : undefined;
  };
  const start = Math.min(from, space.count);
  const found = lowest(start, space.count) ?? lowest(0, space.count);
  if (found !== undefined) return found;
  throw new HavreError("resource-exhausted", `No ${size} user ids are left for another container`, {
    hint: "Remove containers, or give the user more in /etc/subuid and /etc/subgid",
  });
}

/** As the kernel has it: id 0 inside is the range's first. */
export function mapOf({ uid, gid, size }: Pick<OwnIds, "uid" | "gid" | "size">): IdMap {
  return { uids: [{ inside: 0, outside: uid, size }], gids: [{ inside: 0, outside: gid, size }] };
}
