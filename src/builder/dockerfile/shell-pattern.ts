import { HavreError } from "../../base/mod.ts";

/**
 * The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`: `*` any characters, `?` one, a backslash takes the
 * next of `* ? \` as it is; neither wildcard stands for a line feed. Time is bounded by pattern × value, whatever the pattern.
 */
export class ShellPattern {
  readonly #tokens: readonly string[];

  /** `invalid-argument` when a backslash stands before another character. */
  constructor(text: string, { reversed = false } = {}) {
    const tokens = tokensOf(text);
    this.#tokens = reversed ? tokens.reverse() : tokens;
  }

  /** Characters at the start of `value` that fit, as few or as many as possible; undefined when none do. */
  prefix(value: readonly string[], greedy: boolean): number | undefined {
    let positions = this.#skipStars(new Set([0]));
    let found = positions.has(this.#tokens.length) ? 0 : undefined;
    for (let at = 0; at < value.length && positions.size > 0 && (greedy || found === undefined); at++) {
      positions = this.#step(positions, value[at]);
      if (positions.has(this.#tokens.length)) found = at + 1;
    }
    return found;
  }

  /** The first passage from `from` on that fits, as long as possible. */
  find(value: readonly string[], from: number): { readonly start: number; readonly end: number } | undefined {
    // Each position in the pattern remembers the earliest beginning that leads there: one pass finds the leftmost match.
    let threads = this.#seed(new Map(), from);
    let found = this.#accepted(threads, from, undefined);
    for (let at = from; at < value.length; at++) {
      const next = new Map<number, number>();
      for (const [position, start] of threads) {
        if (found && start > found.start) continue;
        for (const target of this.#targets(position, value[at])) keepEarliest(next, target, start);
      }
      this.#spread(next);
      threads = found ? next : this.#seed(next, at + 1);
      found = this.#accepted(threads, at + 1, found);
      if (threads.size === 0) break;
    }
    return found;
  }

  #accepted(threads: ReadonlyMap<number, number>, end: number, found: { start: number; end: number } | undefined) {
    const start = threads.get(this.#tokens.length);
    if (start === undefined || (found && start > found.start)) return found;
    return { start, end };
  }

  #seed(threads: Map<number, number>, start: number): Map<number, number> {
    keepEarliest(threads, 0, start);
    this.#spread(threads);
    return threads;
  }

  /** A star may also stand for nothing. Positions are met in ascending order, so one sweep is enough. */
  #spread(threads: Map<number, number>): void {
    for (const position of [...threads.keys()].sort((a, b) => a - b)) {
      const start = threads.get(position) ?? 0;
      for (let at = position; this.#tokens[at] === "*"; at++) {
        if (!keepEarliest(threads, at + 1, start)) break;
      }
    }
  }

  #targets(position: number, character: string | undefined): readonly number[] {
    const token = this.#tokens[position];
    if (token === "*") return character === "\n" ? [] : [position];
    return fits(token, character) ? [position + 1] : [];
  }

  #step(positions: ReadonlySet<number>, character: string | undefined): Set<number> {
    const next = new Set<number>();
    for (const position of positions) for (const target of this.#targets(position, character)) next.add(target);
    return this.#skipStars(next);
  }

  #skipStars(positions: Set<number>): Set<number> {
    for (const position of positions) if (this.#tokens[position] === "*") positions.add(position + 1);
    return positions;
  }
}

function keepEarliest(threads: Map<number, number>, position: number, start: number): boolean {
  const known = threads.get(position);
  if (known !== undefined && known <= start) return false;
  threads.set(position, start);
  return true;
}

/** `*`, `?`, or a character with a backslash before it, so that the three cannot be confused. */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const characters = [...text];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    const next = characters[at + 1];
    if (character === "*" && tokens.at(-1) === "*") continue;
    if (character === "*" || character === "?") tokens.push(character);
    else if (character !== "\\") tokens.push(`\\${character}`);
    // `}` and `/` had to be escaped to stand in `${}` at all: the backslash is not the pattern's.
    else if (next !== "}" && next !== "/") {
      if (next !== "*" && next !== "?" && next !== "\\") {
        throw new HavreError("invalid-argument", `invalid escape '\\${next ?? ""}'`);
      }
      tokens.push(`\\${next}`);
      at++;
    }
  }
  return tokens;
}

function fits(token: string | undefined, character: string | undefined): boolean {
  if (token === "?") return character !== undefined && character !== "\n";
  return token !== undefined && character !== undefined && token === `\\${character}`;
}
