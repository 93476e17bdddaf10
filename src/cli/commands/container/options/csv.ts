import { refuse } from "./checks.ts";

/** The fields of one CSV record (RFC 4180): what `--mount` and `--network` separate their options with. */
export function parseCsv(text: string): string[] {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest);
    if (quoted) {
      fields.push((quoted[1] ?? "").replaceAll('""', '"'));
      rest = rest.slice(quoted[0].length);
    } else {
      const plain = /^[^,]*/.exec(rest)?.[0] ?? "";
      if (plain.includes('"')) {
        const column = text.length - rest.length + plain.indexOf('"') + 1;
        refuse(`parse error on line 1, column ${column}: bare " in non-quoted-field`);
      }
      fields.push(plain);
      rest = rest.slice(plain.length);
    }
    if (rest === "") return fields;
    rest = rest.slice(1);
  }
}

/** Splits at the first separator; no separator: the second part is undefined. */
export function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
