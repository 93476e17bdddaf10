import { HavreError } from "../../base/mod.ts";

/** One flag of a command: how its text becomes a value. The key it stands under is its long name. */
export interface Flag<T> {
  readonly short?: string;
  /** Shown after the name in help (`list`, `string`); empty for a switch. */
  readonly type: string;
  readonly help: string;
  readonly initial: T;
  /** Shown in help when it says more than "nothing". */
  readonly defaultText?: string;
  /** The value of the flag alone, where it needs none (`--detach`). */
  readonly alone?: string;
  readonly hidden?: boolean;
  /** The flag this one is another name of. */
  readonly aliasOf?: string;
  // A method, so that flags of different types share one table.
  set(text: string, previous: T): T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

type More = { short?: string; hidden?: boolean; defaultText?: string; type?: string; aliasOf?: string };

/** Go's strconv.ParseBool. */
export function parseBoolean(text: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw new HavreError("invalid-argument", `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

export function parseInteger(text: string, min = -(2 ** 63), max = 2 ** 63): number {
  const value = Number(text);
  const parser = min >= 0 ? "strconv.ParseUint" : "strconv.ParseInt";
  if (!(min >= 0 ? /^\d+$/ : /^[+-]?\d+$/).test(text)) throw failed(parser, text, "invalid syntax");
  if (value < min || value > max) throw failed(parser, text, "value out of range");
  return value;
}

function failed(what: string, text: string, why: string): HavreError {
  return new HavreError("invalid-argument", `${what}: parsing ${JSON.stringify(text)}: ${why}`);
}

export function toggle(help: string, more: More & { initial?: boolean } = {}): Flag<boolean> {
  return { initial: false, type: "", alone: "true", help, set: parseBoolean, ...more };
}

export function text(help: string, more: More & { initial?: string; alone?: string } = {}): Flag<string> {
  return { initial: "", type: "string", help, set: (value) => value, ...more };
}

export function integer(
  help: string,
  more: More & { initial?: number; min?: number; max?: number } = {},
): Flag<number> {
  const { min, max, ...rest } = more;
  return { initial: 0, type: "int", help, set: (value) => parseInteger(value, min, max), ...rest };
}

/** May be given many times; `check` validates and may rewrite one value. */
export function list(help: string, more: More & { check?: (value: string) => string } = {}): Flag<readonly string[]> {
  const { check = (value: string) => value, ...rest } = more;
  return { initial: [], type: "list", help, set: (value, previous) => [...previous, check(value)], ...rest };
}

/** A value of its own kind. */
export function value<T>(
  type: string,
  help: string,
  initial: T,
  set: (text: string, previous: T) => T,
  more: More = {},
): Flag<T> {
  return { type, help, initial, set, ...more };
}
