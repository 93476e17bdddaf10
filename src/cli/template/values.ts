/**
 * The values templates work on: JSON from the API, and rows of lists, whose fields are functions. Go's types show in
 * what a template prints (a map is not a struct, an empty list is not a nil pointer), so the keys that name maps and
 * pointers in the Docker API are listed here.
 */
export type Row = Readonly<Record<string, (argument: string) => unknown>>;

const MAPS = new Set(
  "Labels Ports Networks Volumes ExposedPorts Sysctls Tmpfs Annotations PortBindings Config Data StorageOpt Options DriverOpts GenericResources Runtimes Attributes LabelMap".split(
    " ",
  ),
);
/** Pointers, and what their absence means: nil. */
const POINTERS = new Set(
  "Health Healthcheck Init StopTimeout MemorySwappiness OomKillDisable PidsLimit IPAMConfig SizeRw SizeRootFs ImageManifestDescriptor".split(
    " ",
  ),
);
/** Left out of the JSON when empty: their absence is Go's zero value. */
const OPTIONAL: Readonly<Record<string, unknown>> = {
  StopSignal: "",
  Shell: Object.freeze([]),
  Mounts: Object.freeze([]),
  MacAddress: "",
  NetworkDisabled: false,
  ArgsEscaped: false,
  Variant: "",
  OsVersion: "",
  Comment: "",
};

export const nilSlice: readonly unknown[] = Object.freeze([]);
export const nilMap: Readonly<Record<string, unknown>> = Object.freeze({});
/** A nil pointer; a nil interface is undefined. */
export const nilPointer = Symbol("<nil>");

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Which objects of one execution are Go maps. */
export class Kinds {
  readonly #maps = new WeakSet<object>([nilMap]);

  isMap(value: unknown): boolean {
    return isObject(value) && this.#maps.has(value);
  }

  markMap(value: unknown): void {
    if (isObject(value)) this.#maps.add(value);
  }

  /** The value of a key, or the word "missing". */
  field(of: Readonly<Record<string, unknown>>, name: string): { value: unknown } | undefined {
    if (!Object.hasOwn(of, name)) {
      if (POINTERS.has(name)) return { value: nilPointer };
      if (Object.hasOwn(OPTIONAL, name)) return { value: OPTIONAL[name] };
      if (MAPS.has(name) && name !== "Config") return { value: nilMap };
      return undefined;
    }
    const value = of[name];
    const isMap = MAPS.has(name) && !(isObject(value) && "Env" in value);
    if (value === null) return { value: POINTERS.has(name) ? nilPointer : isMap ? nilMap : nilSlice };
    if (isMap) this.markMap(value);
    return { value };
  }

  /** Go's template truth: not empty. A struct is never empty. */
  isTrue(value: unknown): boolean {
    if (value === undefined || value === null || value === nilPointer) return false;
    if (Array.isArray(value)) return value.length > 0;
    if (isObject(value)) return !this.isMap(value) || Object.keys(value).length > 0;
    return Boolean(value);
  }

  /** Go's `%v`. */
  print(value: unknown, name = ""): string {
    if (value === undefined) return "<no value>";
    if (value === nilPointer) return "<nil>";
    if (value === null) return POINTERS.has(name) || name === "" ? "<nil>" : MAPS.has(name) ? "map[]" : "[]";
    if (Array.isArray(value)) return `[${value.map((item) => this.print(item)).join(" ")}]`;
    if (isObject(value)) {
      if (isRow(value)) return this.print(evaluateRow(value));
      if (!this.isMap(value) && !MAPS.has(name))
        return `{${Object.entries(value)
          .map(([key, item]) => this.print(item, key))
          .join(" ")}}`;
      const keys = Object.keys(value).sort();
      return `map[${keys.map((key) => `${key}:${this.print(value[key])}`).join(" ")}]`;
    }
    return String(value);
  }
}

/** True for a row of a list: an object of functions. */
export function isRow(value: Readonly<Record<string, unknown>>): value is Row {
  const [first] = Object.values(value);
  return typeof first === "function";
}

/** A row as data: every field that takes no argument, by name. */
export function evaluateRow(row: Row): Record<string, unknown> {
  const fields = Object.entries(row).filter(([, field]) => field.length === 0);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, field("")]));
}

/** Go's JSON of a value, compact. */
export function toJson(value: unknown): string {
  if (value === nilSlice || value === nilMap || value === nilPointer || value === undefined) return "null";
  if (isObject(value) && isRow(value)) return escapeHtml(JSON.stringify(evaluateRow(value)));
  return JSON.stringify(value);
}

/** Go escapes what HTML would read; rows go through that, the API's own objects do not. */
function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
