/**
 * The fields of one line of comma-separated values (RFC 4180, § 2): quotes around a field may hold commas, a doubled quote is one.
 * Throws an `Error` that says what is wrong, in the words of Go's encoding/csv.
 */
export function splitCsv(line: string): readonly string[] {
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    if (line[at] === '"') {
      let field = "";
      for (;;) {
        const quote = line.indexOf('"', at + 1);
        if (quote < 0) throw new Error('extraneous or missing " in quoted-field');
        field += line.slice(at + 1, quote);
        at = quote + 1;
        if (line[at] !== '"') break;
        field += '"';
      }
      fields.push(field);
      if (at < line.length && line[at] !== ",") throw new Error('extraneous or missing " in quoted-field');
    } else {
      const comma = line.indexOf(",", at);
      const end = comma < 0 ? line.length : comma;
      const field = line.slice(at, end);
      if (field.includes('"')) throw new Error('bare " in non-quoted-field');
      fields.push(field);
      at = end;
    }
    if (at >= line.length) return fields;
  }
}
