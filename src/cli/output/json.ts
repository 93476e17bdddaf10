/**
 * JSON text with four spaces of indentation, without parsing it: numbers beyond what a double holds stay as they are
 * (Docker's `inspect` prints its daemon's own text).
 */
export function indentJson(text: string): string {
  let out = "";
  let depth = 0;
  const newLine = () => `\n${"    ".repeat(depth)}`;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') {
      const end = endOfString(text, at);
      out += text.slice(at, end);
      at = end - 1;
    } else if (character === "{" || character === "[") {
      const rest = /^\s*[}\]]/.exec(text.slice(at + 1, at + 64));
      if (rest) {
        out += character + rest[0].trim();
        at += rest[0].length;
      } else {
        depth++;
        out += character + newLine();
      }
    } else if (character === "}" || character === "]") {
      depth--;
      out += newLine() + character;
    } else if (character === ",") out += character + newLine();
    else if (character === ":") out += ": ";
    else if (!/\s/.test(character)) out += character;
  }
  return out;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
  return at + 1;
}
