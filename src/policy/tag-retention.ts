import { namePattern } from "./name-pattern.ts";

/** Which tags of a repository stay. A tag stays when any of these says so; without any of them all stay. */
export interface RetentionRule {
  /** So many that were pushed last. */
  readonly newest?: number;
  /** Pushed within so many milliseconds. */
  readonly within?: number;
  /** Patterns of tags that always stay. */
  readonly tags?: readonly string[];
  /** Manifests that no tag, no index and no kept subject leads to go after so many milliseconds; undefined: they stay. */
  readonly untagged?: number;
}

export interface TagAge {
  readonly name: string;
  /** When it was pointed where it points, milliseconds since the epoch. */
  readonly at: number;
  /** May not be removed, whatever the rules say. */
  readonly immutable?: boolean;
}

export interface TagVerdict {
  readonly name: string;
  readonly keep: boolean;
  readonly explain: string;
}

/** What becomes of each tag, the newest first. */
export function retainTags(rule: RetentionRule, tags: readonly TagAge[], now: number): readonly TagVerdict[] {
  const { newest, within, tags: patterns = [] } = rule;
  const bounded = newest !== undefined || within !== undefined;
  const always = patterns.map((pattern) => ({ pattern, fits: namePattern(pattern) }));
  const byAge = [...tags].sort((a, b) => b.at - a.at || (a.name < b.name ? -1 : 1));
  let place = 0;
  return byAge.map(({ name, at, immutable = false }) => {
    const verdict = (keep: boolean, explain: string): TagVerdict => ({ name, keep, explain });
    if (immutable) return verdict(true, "it is immutable");
    const pattern = always.find(({ fits }) => fits(name))?.pattern;
    // What always stays takes no place of the newest.
    if (pattern !== undefined) return verdict(true, `it fits ${pattern}`);
    if (!bounded) return verdict(true, "no rule removes tags");
    place++;
    if (newest !== undefined && place <= newest) return verdict(true, `it is among the newest ${newest}`);
    if (within !== undefined && now - at <= within) return verdict(true, "it is young enough");
    return verdict(false, reason(newest, within, place, now - at));
  });
}

function reason(newest: number | undefined, within: number | undefined, place: number, age: number): string {
  const older = newest === undefined ? [] : [`${place - 1} newer tags are there`];
  const days = within === undefined ? [] : [`it is ${Math.floor(age / 86_400_000)} days old`];
  return [...older, ...days].join(", ");
}
