/** One scheme of a WWW-Authenticate header (RFC 9110 § 11.6.1), parameter names in lower case. */
export interface Challenge {
  readonly scheme: "bearer" | "basic" | "other";
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const PARAMETER = /\s*,?\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;

/** The challenges of a header, in order; what cannot be read ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  for (;;) {
    at = skip(header, at);
    TOKEN.lastIndex = at;
    const scheme = TOKEN.exec(header)?.[0];
    if (scheme === undefined) return challenges;
    at += scheme.length;
    const parameters = new Map<string, string>();
    for (PARAMETER.lastIndex = at; ; ) {
      const match = PARAMETER.exec(header);
      if (!match) break;
      at = PARAMETER.lastIndex;
      parameters.set((match[1] ?? "").toLowerCase(), match[3] ?? (match[2] ?? "").replace(/\\(.)/g, "$1"));
    }
    const lower = scheme.toLowerCase();
    challenges.push({ scheme: lower === "bearer" || lower === "basic" ? lower : "other", parameters });
  }
}

function skip(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[\s,]/.test(text[at] ?? "")) at++;
  return at;
}
