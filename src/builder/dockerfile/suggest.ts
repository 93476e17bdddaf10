/** A word with more changes than this is another word. */
const FARTHEST = 2;
/** Longer ones are not typed by hand. */
const LONGEST = 100;

/**
 * The option nearest to a mistyped word, if one is near: at most two letters added, taken away, changed or swapped.
 * When `anyCase`, case does not count and the answer has the word's case.
 */
export function nearest(word: string, options: Iterable<string>, anyCase = false): string | undefined {
  const wanted = anyCase ? word.toLowerCase() : word;
  if (wanted.length > LONGEST) return undefined;
  let best: string | undefined;
  let distance = FARTHEST + 1;
  for (const option of options) {
    const candidate = anyCase ? option.toLowerCase() : option;
    if (candidate === wanted) return undefined;
    const changes = Math.abs(candidate.length - wanted.length) > FARTHEST ? distance : editDistance(wanted, candidate);
    if (changes < distance) [best, distance] = [anyCase ? inCaseOf(candidate, word) : candidate, changes];
  }
  return best;
}

/** ` (did you mean X?)`, or nothing. */
export function didYouMean(word: string, options: Iterable<string>, anyCase = false): string {
  const match = nearest(word, options, anyCase);
  return match === undefined ? "" : ` (did you mean ${match}?)`;
}

function inCaseOf(text: string, model: string): string {
  if (model === model.toLowerCase()) return text.toLowerCase();
  return model === model.toUpperCase() ? text.toUpperCase() : text;
}

/** Letters added, taken away, changed, or swapped with their neighbour. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let at = 0; at < from.length; at++) {
    const next = [at + 1];
    for (let other = 0; other < to.length; other++) {
      const change = (row[other] ?? 0) + (from[at] === to[other] ? 0 : 1);
      const swaps = other > 0 && from[at] === to[other - 1] && from[at - 1] === to[other];
      const swap = swaps ? (before[other - 1] ?? 0) + 1 : change;
      next.push(Math.min(change, swap, (row[other + 1] ?? 0) + 1, (next[other] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[to.length] ?? 0;
}
