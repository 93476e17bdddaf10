import { HavreError } from "../base/mod.ts";

/** When a rule holds; Docker's seccomp profile format. Architectures in Go's names. */
export interface RuleFilter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  /** `MAJOR.MINOR`. */
  readonly minKernel?: string;
}

export interface RuleArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}

export interface ProfileRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly RuleArgument[];
  readonly includes?: RuleFilter;
  readonly excludes?: RuleFilter;
}

/** A seccomp profile as people write it: OCI's with Docker's `archMap`, `includes` and `excludes`. */
export interface SourceProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly flags?: readonly string[];
  readonly syscalls: readonly ProfileRule[];
}

type Fields = Readonly<Record<string, unknown>>;

function bad(what: string, cause?: unknown): HavreError {
  return new HavreError("invalid-argument", `Decoding seccomp profile failed: ${what}`, {
    hint: "A profile is JSON with defaultAction and syscalls; the CLI takes a file, the API its text",
    ...(cause === undefined ? {} : { cause }),
  });
}

function object(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(`${where} is not an object`);
  return value as Fields;
}

function list<T>(value: unknown, where: string, item: (value: unknown, where: string) => T): T[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw bad(`${where} is not a list`);
  return value.map((element, index) => item(element, `${where}[${index}]`));
}

function text(value: unknown, where: string): string {
  if (typeof value !== "string") throw bad(`${where} is not a string`);
  return value;
}

function number(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) throw bad(`${where} is not a number`);
  return value;
}

/** `{[key]: convert(value)}` when the field is there. */
function optional<K extends string, T>(
  fields: Fields,
  key: K,
  where: string,
  convert: (value: unknown, where: string) => T,
): Partial<Record<K, T>> {
  const value = fields[key];
  if (value === undefined || value === null) return {};
  return { [key]: convert(value, `${where}${key}`) } as Partial<Record<K, T>>;
}

const texts = (value: unknown, where: string) => list(value, where, text);

function parseFilter(value: unknown, where: string): RuleFilter {
  const fields = object(value, where);
  return {
    ...optional(fields, "caps", `${where}.`, texts),
    ...optional(fields, "arches", `${where}.`, texts),
    ...optional(fields, "minKernel", `${where}.`, text),
  };
}

function parseArgument(value: unknown, where: string): RuleArgument {
  const fields = object(value, where);
  return {
    index: number(fields.index ?? 0, `${where}.index`),
    value: number(fields.value ?? 0, `${where}.value`),
    ...optional(fields, "valueTwo", `${where}.`, number),
    op: text(fields.op, `${where}.op`),
  };
}

function parseRule(value: unknown, where: string): ProfileRule {
  const fields = object(value, where);
  const names = texts(fields.names, `${where}.names`);
  if (fields.name !== undefined && fields.name !== "") {
    if (names.length > 0)
      throw new HavreError(
        "invalid-argument",
        "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
      );
    names.push(text(fields.name, `${where}.name`));
  }
  const args = list(fields.args, `${where}.args`, parseArgument);
  return {
    names,
    action: text(fields.action, `${where}.action`),
    ...optional(fields, "errnoRet", `${where}.`, number),
    ...(args.length > 0 ? { args } : {}),
    ...optional(fields, "includes", `${where}.`, parseFilter),
    ...optional(fields, "excludes", `${where}.`, parseFilter),
  };
}

/**
 * A user's profile from its JSON text (`--security-opt seccomp=…`). `undefined` when it names neither a default action
 * nor a call, which means no filter. `invalid-argument` names the field that is wrong.
 */
export function parseSeccompProfile(json: string): SourceProfile | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error), error);
  }
  const fields = object(parsed, "the profile");
  const syscalls = list(fields.syscalls, "syscalls", parseRule);
  const defaultAction = fields.defaultAction === undefined ? "" : text(fields.defaultAction, "defaultAction");
  if (defaultAction === "" && syscalls.length === 0) return undefined;
  const architectures = texts(fields.architectures, "architectures");
  const archMap = list(fields.archMap, "archMap", (entry, where) => {
    const { architecture, subArchitectures } = object(entry, where);
    return {
      architecture: text(architecture, `${where}.architecture`),
      subArchitectures: texts(subArchitectures, `${where}.subArchitectures`),
    };
  });
  if (architectures.length > 0 && archMap.length > 0)
    throw new HavreError(
      "invalid-argument",
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  return {
    defaultAction,
    ...optional(fields, "defaultErrnoRet", "", number),
    ...(architectures.length > 0 ? { architectures } : {}),
    ...(archMap.length > 0 ? { archMap } : {}),
    ...optional(fields, "flags", "", texts),
    syscalls,
  };
}
