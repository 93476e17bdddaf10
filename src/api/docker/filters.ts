import { HavreError } from "../../base/mod.ts";

/** `filters` of a list, events or prune request: values by name. */
export class Filters {
  readonly #fields: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(fields: ReadonlyMap<string, ReadonlySet<string>> = new Map()) {
    this.#fields = fields;
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  entries(): Iterable<readonly [string, ReadonlySet<string>]> {
    return this.#fields;
  }

  values(name: string): readonly string[] {
    return [...(this.#fields.get(name) ?? [])];
  }

  /** `invalid-argument` when a name is not among `accepted`. */
  validate(accepted: readonly string[]): void {
    for (const name of this.#fields.keys()) {
      if (!accepted.includes(name)) throw new HavreError("invalid-argument", `invalid filter '${name}'`);
    }
  }

  /** True when nothing is asked of `name`, or one of the values is `source`. */
  matchesExactly(name: string, source: string): boolean {
    const values = this.#fields.get(name);
    return values === undefined || values.size === 0 || values.has(source);
  }

  /** As `matchesExactly`, or one of the values starts `source`. */
  matchesStart(name: string, source: string): boolean {
    return this.matchesExactly(name, source) || this.values(name).some((value) => source.startsWith(value));
  }

  /** As `matchesExactly`, or one of the values as a regular expression finds something in `source`. */
  matchesPattern(name: string, source: string): boolean {
    return (
      this.matchesExactly(name, source) || this.values(name).some((value) => pattern(value)?.test(source) === true)
    );
  }

  /** Every value, `key` or `key=value`, is true of `pairs`. */
  matchesPairs(name: string, pairs: Readonly<Record<string, string>>): boolean {
    return this.values(name).every((value) => pairMatches(value, pairs));
  }

  /** A yes or no; `invalid-argument` when it is neither or both. */
  flag(name: string): boolean | undefined {
    const values = this.#fields.get(name);
    if (values === undefined) return undefined;
    const isFalse = values.has("0") || values.has("false");
    const isTrue = values.has("1") || values.has("true");
    if (isFalse === isTrue) throw invalidValue(name, [...values]);
    return isTrue;
  }
}

export function invalidValue(name: string, values: readonly string[]): HavreError {
  const shown = values.length === 0 ? name : `${name}=[${values.join(" ")}]`;
  return new HavreError("invalid-argument", `invalid filter '${shown}'`);
}

/** A filter's regular expression; undefined when it is malformed, which Docker takes for no match. */
function pattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}

/** Whether `key` or `key=value` is true of `pairs`. */
export function pairMatches(wanted: string, pairs: Readonly<Record<string, string>>): boolean {
  const equals = wanted.indexOf("=");
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  const value = pairs[key];
  return value !== undefined && (equals < 0 || value === wanted.slice(equals + 1));
}

function parseValues(value: unknown): Set<string> | undefined {
  if (Array.isArray(value)) return value.every((item) => typeof item === "string") ? new Set(value) : undefined;
  if (value === null) return new Set();
  if (typeof value !== "object") return undefined;
  if (!Object.values(value).every((item) => typeof item === "boolean")) return undefined;
  return new Set(Object.keys(value));
}

/** Reads `{"name": ["value"]}` or `{"name": {"value": true}}`; `invalid-argument` with Docker's text for anything else. */
export function parseFilters(text: string): Filters {
  if (text === "") return new Filters();
  const refuse = () => new HavreError("invalid-argument", "invalid filter");
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw refuse();
  }
  if (raw === null) return new Filters();
  if (typeof raw !== "object" || Array.isArray(raw)) throw refuse();
  const fields = new Map<string, Set<string>>();
  for (const [name, value] of Object.entries(raw)) {
    const values = parseValues(value);
    if (!values) throw refuse();
    fields.set(name, values);
  }
  return new Filters(fields);
}
