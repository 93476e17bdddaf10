import { readPatternClass, takePatternCharacter } from "../spec/mod.ts";

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
    else if (character === "[") tokens.push({ kind: "one", fits: readPatternClass(characters) });
    else {
      const wanted = character === "\\" ? takePatternCharacter(characters) : character;
      tokens.push({ kind: "one", fits: (other) => other === wanted });
    }
  }
  return tokens;
}
