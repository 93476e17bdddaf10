import { HavreError } from "../../../base/mod.ts";

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007 };
const BITS: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 };

/** A change of permission bits. */
export type ModeChange = (mode: number, isFolder: boolean) => number;

/** `--chmod`: octal (`755`), or symbolic as chmod(1) has it (`u=rwX,go=rX`) without a umask. `invalid-argument`. */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]{1,5}$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    if (mode <= 0o7777) return () => mode;
  }
  const changes = text.split(",").map((clause) => parseClause(clause, text));
  return (mode, isFolder) => changes.reduce((current, change) => change(current, isFolder), mode);
}

function parseClause(clause: string, whole: string): ModeChange {
  const [, who = "", actions = ""] = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause) ?? [];
  if (actions === "") {
    throw new HavreError(
      "invalid-argument",
      `invalid chmod parameter: '${whole}'. it should be octal string and between 0 and 07777`,
    );
  }
  const mask = who === "" || who.includes("a") ? 0o7777 : [...who].reduce((all, one) => all | (WHO[one] ?? 0), 0);
  const steps = [...actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, sign = "", what = ""]) => ({ sign, what }));
  return (mode, isFolder) => {
    for (const { sign, what } of steps) {
      const bits = bitsOf(what, mode, isFolder) & mask;
      if (sign === "+") mode |= bits;
      else if (sign === "-") mode &= ~bits;
      else mode = (mode & ~mask) | bits;
    }
    return mode;
  };
}

function bitsOf(what: string, mode: number, isFolder: boolean): number {
  if (what === "u") return ((mode >> 6) & 7) * 0o111;
  if (what === "g") return ((mode >> 3) & 7) * 0o111;
  if (what === "o") return (mode & 7) * 0o111;
  let bits = 0;
  for (const letter of what) {
    if (letter === "X") bits |= isFolder || (mode & 0o111) !== 0 ? 0o111 : 0;
    else bits |= BITS[letter] ?? 0;
  }
  return bits;
}
