import { HavreError } from "../base/mod.ts";

type Token = { readonly kind: "star" } | { readonly kind: "one"; readonly fits: (character: string) => boolean };

/**
 * Shell patterns as Go's path.Match has them, which is what Docker's `reference` filter speaks: `*` and `?` stop at a
 * slash, `[a-z]` and `[^a-z]` are classes, a backslash takes the next character as it is. The whole name must fit.
 * `invalid-argument` when the pattern is malformed. Time is bounded by pattern × name, whatever the pattern.
 */
export function pathMatcher(pattern: string): (name: string) => boolean {
  const tokens = parse([...pattern]);
  return (name) => {
    let positions = skipStars(tokens, new Set([0]));
    for (const character of name) {
      const next = new Set<number>();
      for (const position of positions) {
        const token = tokens[position];
        if (token?.kind === "star" && character !== "/") next.add(position);
        else if (token?.kind === "one" && token.fits(character)) next.add(position + 1);
      }
      positions = skipStars(tokens, next);
    }
    return positions.has(tokens.length);
  };
}

/** A star may also stand for nothing. */
function skipStars(tokens: readonly Token[], positions: Set<number>): Set<number> {
  for (const position of positions) if (tokens[position]?.kind === "star") positions.add(position + 1);
  return positions;
}

function parse(characters: string[]): Token[] {
  const tokens: Token[] = [];
  for (let character = characters.shift(); character !== undefined; character = characters.shift()) {
    if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "one", fits: (other) => other !== "/" });
    else if (character === "[") tokens.push({ kind: "one", fits: parseClass(characters) });
    else {
      const wanted = character === "\\" ? take(characters) : character;
      tokens.push({ kind: "one", fits: (other) => other === wanted });
    }
  }
  return tokens;
}

function parseClass(characters: string[]): (character: string) => boolean {
  const negated = characters[0] === "^";
  if (negated) characters.shift();
  const ranges: [low: string, high: string][] = [];
  do {
    const low = classMember(characters);
    if (characters[0] !== "-") ranges.push([low, low]);
    else {
      characters.shift();
      ranges.push([low, classMember(characters)]);
    }
  } while (characters[0] !== "]");
  characters.shift();
  return (character) => ranges.some(([low, high]) => low <= character && character <= high) !== negated;
}

function classMember(characters: string[]): string {
  const character = take(characters);
  if (character === "-" || character === "]") throw malformed();
  return character === "\\" ? take(characters) : character;
}

function take(characters: string[]): string {
  const character = characters.shift();
  if (character === undefined) throw malformed();
  return character;
}

function malformed(): HavreError {
  return new HavreError("invalid-argument", "syntax error in pattern");
}
