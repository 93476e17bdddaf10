import { TemplateError, type Token, type TokenKind } from "./syntax.ts";

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: Token[]; readonly at: number };

/** Cuts a template into text and actions, white space trimmed where `{{-` and `-}}` ask for it. */
export function cutTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  const addText = (text: string, trimEnd: boolean) => {
    const left = trimNext ? text.trimStart() : text;
    const shown = trimEnd ? left.trimEnd() : left;
    if (shown !== "") pieces.push({ kind: "text", text: shown });
  };
  for (;;) {
    const open = source.indexOf("{{", at);
    if (open < 0) {
      addText(source.slice(at), false);
      return pieces;
    }
    const trimBefore = /^-\s/.test(source.slice(open + 2, open + 4));
    addText(source.slice(at, open), trimBefore);
    const start = open + 2 + (trimBefore ? 2 : 0);
    const comment = /^\s*\/\*[\s\S]*?\*\/(\s-)?\}\}/.exec(source.slice(start));
    if (comment) {
      trimNext = comment[1] !== undefined;
      at = start + comment[0].length;
      continue;
    }
    const { tokens, end, trimAfter } = readAction(source, start);
    trimNext = trimAfter;
    pieces.push({ kind: "action", tokens, at: start });
    at = end;
  }
}

const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ["string", /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ["number", /[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/y],
  ["field", /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ["variable", /\$[\p{L}\p{N}_]*/uy],
  ["word", /[\p{L}_][\p{L}\p{N}_]*/uy],
  [":=", /:=/y],
  ["=", /=/y],
  ["|", /\|/y],
  [",", /,/y],
  ["(", /\(/y],
  [")", /\)/y],
  ["dot", /\./y],
];

function readAction(source: string, start: number): { tokens: Token[]; end: number; trimAfter: boolean } {
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const space = /\s*/y;
    space.lastIndex = at;
    const blank = space.exec(source)?.[0].length ?? 0;
    const begin = at + blank;
    if (source.startsWith("}}", begin)) return { tokens, end: begin + 2, trimAfter: false };
    if (blank > 0 && source.startsWith("-}}", begin)) return { tokens, end: begin + 3, trimAfter: true };
    const token = matchToken(source, begin, blank > 0);
    if (!token) {
      const rest = source.slice(begin);
      if (rest === "" || rest.startsWith("{{")) throw new TemplateError("template: :1: unclosed action");
      if (rest.startsWith('"')) throw new TemplateError("template: :1: unterminated quoted string");
      throw new TemplateError(`template: :1: unexpected ${JSON.stringify(rest.charAt(0))} in operand`);
    }
    tokens.push(token);
    at = begin + token.text.length;
  }
}

function matchToken(source: string, at: number, spaced: boolean): Token | undefined {
  for (const [kind, rule] of RULES) {
    const pattern = new RegExp(rule.source, rule.flags);
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0];
    if (text !== undefined) return { kind, text, at, spaced };
  }
  return undefined;
}
