import { digestHex, HavreError, rfc3339Nano } from "../base/mod.ts";
import { familiarReference, parseReference, withDefaultTag } from "../spec/mod.ts";
import type { ReadTransaction } from "../store/mod.ts";
import type { Context } from "./context.ts";
import { imageEvent } from "./events.ts";
import { asPresent, imageKind, type Pointer, type TagChange, type TagObject, tagKind } from "./objects.ts";
import { markTagged, setTag } from "./record.ts";
import { tagKey } from "./resolve.ts";

/** A change of a tag as it is told: where it pointed from then on, and whether that image is still here. */
export interface TagHistoryEntry extends TagChange {
  /** True when a rollback can go there. */
  readonly present: boolean;
}

/** Back by so many changes of the tag, or to an image it once pointed to (id or manifest digest, or their beginning). */
export type RollbackTarget = { readonly steps: number } | { readonly digest: string };

/** Every pointer the tag ever had, oldest first. `not-found` for a name never used. */
export function tagHistory(tx: ReadTransaction, name: string): readonly TagHistoryEntry[] {
  return findEver(tx, name).history.map((change) => ({
    ...change,
    present: change.to !== undefined && tx.get(imageKind, change.to.image) !== undefined,
  }));
}

/**
 * Points a tag to what it pointed to before. Nothing is forgotten: the rollback is one more change, and can itself be
 * undone by digest. `failed-precondition` when the image is gone from this machine.
 */
export async function rollbackTag(context: Context, name: string, target: RollbackTarget): Promise<Pointer> {
  const { image, reference, to } = await context.store.update((tx) => {
    const tag = findEver(tx, name);
    const position = "steps" in target ? positionBack(tag, target.steps) : positionOf(tag, target.digest);
    const { to, at: then } = tag.history[position] ?? {};
    if (to === undefined) throw new HavreError("internal", `History of ${name} has no pointer at ${position}`);
    const image = tx.get(imageKind, to.image);
    if (!image) {
      throw new HavreError(
        "failed-precondition",
        `Image ${to.image} that ${name} pointed to since ${rfc3339Nano(then)} was removed from this machine`,
        { hint: `Get it again, then: havre tag ${to.image} ${name}` },
      );
    }
    const present = asPresent(image);
    const reference = parseReference(tag.id);
    tx.put(imageKind, present);
    setTag(tx, reference, to, { at: context.clock.now(), action: "rollback", position });
    markTagged(tx, image.id, context.clock.now());
    return { image: present, reference, to };
  });
  context.emit(imageEvent("tag", image, familiarReference(reference)));
  return to;
}

function findEver(tx: ReadTransaction, name: string): TagObject {
  const reference = withDefaultTag(parseReference(name));
  const tag = tx.get(tagKind, tagKey(reference));
  if (!tag) throw new HavreError("not-found", `No tag was ever named ${familiarReference(reference)}`);
  return tag;
}

/** The position in the history whose pointer the tag had after the change at `at`; -1: none. */
function effective(history: readonly TagChange[], at: number): number {
  const change = history[at];
  if (!change) return -1;
  if (change.position !== undefined) return change.position;
  return change.to === undefined ? effective(history, at - 1) : at;
}

/** Steps go through what the tag was, not through rollbacks: two of one step are one of two. */
function positionBack({ id, history, current }: TagObject, steps: number): number {
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new HavreError("invalid-argument", `Cannot go back ${steps} steps: give a number from 1`);
  }
  let position = effective(history, history.length - 1);
  // A name that was taken away goes back to its last pointer first.
  for (let left = current ? steps : steps - 1; left > 0; left--) {
    const earlier = effective(history, position - 1);
    if (earlier < 0) {
      throw new HavreError(
        "failed-precondition",
        `${familiarReference(parseReference(id))} has ${steps === 1 ? "no earlier image" : `fewer than ${steps} earlier images`}`,
        { hint: `See its history with: havre image log --tag ${familiarReference(parseReference(id))}` },
      );
    }
    position = earlier;
  }
  return position;
}

function positionOf({ id, history }: TagObject, words: string): number {
  const prefix = words.replace(/^sha256:/, "");
  const fits = ({ to }: TagChange) =>
    to !== undefined && (digestHex(to.image).startsWith(prefix) || digestHex(to.manifest).startsWith(prefix));
  const position = /^[0-9a-f]+$/.test(prefix) ? history.findLastIndex(fits) : -1;
  if (position < 0) {
    throw new HavreError("not-found", `${familiarReference(parseReference(id))} never pointed to ${words}`);
  }
  return effective(history, position);
}
