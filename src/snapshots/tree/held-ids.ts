import { HavreError } from "../../base/mod.ts";
import { asRootOf } from "../../kernel/mod.ts";
import type { Work } from "../work/steps.ts";

/** Ids of the host that a tree's owners are shown as: id 0 of the tree is the first. */
export interface HeldIds {
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

/** Whom the kernel shows where an owner has no number (/proc/sys/kernel/overflowuid). */
const NOBODY = 65_534;

/** An owner as the tree itself has it. */
export function idInside(id: number, first: number, size: number): number {
  return id >= first && id < first + size ? id - first : NOBODY;
}

/** The id of the host for an owner in the tree. `invalid-argument` for one that it cannot have. */
export function idOutside(id: number, first: number, size: number): number {
  if (id < size) return first + id;
  throw new HavreError("invalid-argument", `id ${id} is none of the ${size} that the container has`, {
    hint: "Give the files another owner, or the container more ids (--userns=auto:size=N)",
  });
}

/** Does work as one who may make files in the tree: as its root. Others do theirs between two steps. */
export function* asHolder<T>(ids: HeldIds, work: Work<T>): Work<T> {
  const within = <R>(step: () => R) => asRootOf(ids, step);
  try {
    let state = within(() => work.next(undefined));
    while (!state.done) {
      const input = yield state.value;
      state = within(() => work.next(input));
    }
    return state.value;
  } finally {
    within(() => work.return(undefined as T));
  }
}
