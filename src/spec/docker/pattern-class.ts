import { HavreError } from "../../base/mod.ts";

/** Reads a class `[a-z]`, `[^a-z]` of a path pattern, whose bracket was taken already (Go's path.Match). `invalid-argument`. */
export function readPatternClass(characters: string[]): (character: string) => boolean {
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
  const character = takePatternCharacter(characters);
  if (character === "-" || character === "]") throw malformed();
  return character === "\\" ? takePatternCharacter(characters) : character;
}

/** Takes the next character of a pattern. `invalid-argument` when there is none. */
export function takePatternCharacter(characters: string[]): string {
  const character = characters.shift();
  if (character === undefined) throw malformed();
  return character;
}

function malformed(): HavreError {
  return new HavreError("invalid-argument", "syntax error in pattern");
}
