import { HavreError } from "../../base/mod.ts";
import { parseGoBoolean, parseSize } from "../../spec/mod.ts";
import type { RunMount } from "./commands.ts";
import { splitCsv } from "./csv.ts";
import { DockerfileError } from "./errors.ts";
import { oneOf } from "./flags.ts";
import type { Word } from "./source.ts";
import { didYouMean } from "./suggest.ts";
import type { Instruction } from "./tree.ts";

/** Puts variables in. */
export type Expand = (word: string) => string;

const TYPES = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const SHARINGS = ["shared", "private", "locked"] as const;
const KEYS =
  "type from source target readonly id sharing required size mode uid gid src dst destination ro rw readwrite env".split(
    " ",
  );
const FLAGS = ["readonly", "ro", "readwrite", "rw", "required"];

/**
 * What `--mount` flags say. Without `expand` values with variables stay as written, and what is wrong with them is said when the
 * command is expanded. `invalid-argument` with BuildKit's texts.
 */
export function readMounts(source: Instruction, flags: readonly Word[], expand?: Expand): readonly RunMount[] {
  return flags.map(({ text, range }) => {
    try {
      return expand === undefined ? early(text) : new MountReader(expand).read(text);
    } catch (error) {
      if (!(error instanceof HavreError)) throw error;
      throw new DockerfileError(
        error.message,
        source.file,
        range,
        error.hint === undefined ? {} : { expected: error.hint },
      );
    }
  });
}

/** Before variables are known only `from` counts: it makes one stage need another. */
function early(text: string): RunMount {
  const from = fieldsOf(text)
    .map((field) => field.split("=", 2))
    .findLast(([key]) => key?.toLowerCase() === "from")?.[1];
  if (from !== undefined && /\$./.test(from)) {
    throw invalid("'from' doesn't support variable expansion, define alias stage instead", "a stage or an image");
  }
  try {
    return new MountReader((word) => word).read(text);
  } catch {
    return { type: "bind", ...(from === undefined ? {} : { from }), source: "", target: "", readOnly: true };
  }
}

function fieldsOf(text: string): readonly string[] {
  try {
    return splitCsv(text);
  } catch (error) {
    throw invalid(`failed to parse csv mounts: ${error instanceof Error ? error.message : error}`, "type=…,target=…");
  }
}

class MountReader {
  readonly #expand: Expand;
  #type: RunMount["type"] = "bind";
  #from = "";
  #source = "";
  #target = "";
  #id = "";
  #env: string | undefined;
  #sharing: (typeof SHARINGS)[number] | undefined;
  #readOnly: boolean | undefined;
  #required = false;
  #size = 0;
  #numbers: { mode?: number; uid?: number; gid?: number } = {};

  constructor(expand: Expand) {
    this.#expand = expand;
  }

  read(text: string): RunMount {
    for (const field of fieldsOf(text)) {
      const equals = field.indexOf("=");
      const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
      if (equals < 0 && !FLAGS.includes(key)) {
        throw invalid(`invalid field '${field}' must be a key=value pair`, "key=value");
      }
      this.#set(key, equals < 0 ? "true" : this.#expand(field.slice(equals + 1)), field);
    }
    this.#check();
    return this.#mount();
  }

  #set(key: string, value: string, field: string): void {
    switch (key) {
      case "type":
        this.#type = option(TYPES, value, "mount type");
        return;
      case "from":
        this.#from = value;
        return;
      case "source":
      case "src":
        this.#source = value;
        return;
      case "target":
      case "dst":
      case "destination":
        this.#target = value;
        return;
      case "readonly":
      case "ro":
        this.#readOnly = truth(key, value);
        return;
      case "readwrite":
      case "rw":
        this.#readOnly = !truth(key, value);
        return;
      case "required":
        this.#only(key, "secret", "ssh");
        this.#required = truth(key, value);
        return;
      case "size": {
        this.#only(key, "tmpfs");
        const size = parseSize(value, 1024);
        if (size === undefined) throw invalid(`invalid value for size: ${value}`, "bytes, as in 64m");
        this.#size = size;
        return;
      }
      case "id":
        this.#id = value;
        return;
      case "sharing":
        this.#sharing = option(SHARINGS, value, "sharing value");
        return;
      case "mode":
      case "uid":
      case "gid":
        this.#numbers[key] = number(key, value);
        return;
      case "env":
        this.#env = value;
        return;
      default:
        throw invalid(`unexpected key '${key}' in '${field}'${didYouMean(key, KEYS)}`, oneOf(KEYS));
    }
  }

  #only(key: string, ...types: readonly RunMount["type"][]): void {
    if (!types.includes(this.#type)) throw invalid(`unexpected key '${key}' for mount type '${this.#type}'`);
  }

  #check(): void {
    const type = this.#type;
    if (type === "bind" || type === "tmpfs") {
      const [key] = Object.keys(this.#numbers);
      if (key !== undefined) throw invalid(`${key} not allowed for "${type}" type mounts`);
    }
    if (type === "secret") {
      if (this.#from !== "") throw invalid("secret mount should not have a from");
      if (this.#sharing !== undefined) throw invalid("secret mount should not define sharing");
      if (this.#source === "" && this.#target === "" && this.#id === "") {
        throw invalid("invalid secret mount. one of source, target required", "id=NAME or target=PATH");
      }
      if (this.#source !== "" && this.#id !== "") throw invalid("both source and id can't be set");
    }
    if (type === "ssh" && this.#source !== "") throw invalid("ssh does not support source");
    if (type !== "cache" && this.#sharing !== undefined) throw invalid(`invalid cache sharing set for ${type} mount`);
  }

  #mount(): RunMount {
    const from = this.#from === "" ? {} : { from: this.#from };
    const [source, target] = [this.#source, this.#target];
    const numbers = this.#numbers;
    switch (this.#type) {
      case "bind":
        return { type: "bind", ...from, source, target, readOnly: this.#readOnly ?? true };
      case "tmpfs":
        return { type: "tmpfs", target, ...(this.#size === 0 ? {} : { size: this.#size }) };
      case "cache": {
        const readOnly = this.#readOnly ?? false;
        const id = this.#id === "" ? {} : { id: this.#id };
        return {
          type: "cache",
          ...id,
          ...from,
          source,
          target,
          sharing: this.#sharing ?? "shared",
          readOnly,
          ...numbers,
        };
      }
      case "secret": {
        const id = source || this.#id || baseName(target);
        const file = target || (this.#env === undefined ? `/run/secrets/${baseName(id)}` : "");
        return {
          type: "secret",
          id,
          ...(file === "" ? {} : { target: file }),
          ...(this.#env === undefined ? {} : { env: this.#env }),
          required: this.#required,
          ...{ mode: 0o400, uid: 0, gid: 0, ...numbers },
        };
      }
      case "ssh": {
        const [id, required] = [this.#id || "default", this.#required];
        const file = target === "" ? {} : { target };
        return { type: "ssh", id, ...file, required, ...{ mode: 0o600, uid: 0, gid: 0, ...numbers } };
      }
    }
  }
}

function baseName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? path;
}

function truth(key: string, value: string): boolean {
  const parsed = parseGoBoolean(value);
  if (parsed === undefined) throw invalid(`invalid value for ${key}: ${value}`, "true or false");
  return parsed;
}

function number(key: string, value: string): number {
  const [form, base, expected] =
    key === "mode" ? [/^[0-7]{1,11}$/, 8, "an octal number"] : [/^\d{1,10}$/, 10, "a number"];
  const parsed = form.test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (!(parsed < 2 ** 32)) throw invalid(`invalid value ${value} for ${key}`, expected);
  return parsed;
}

function option<Option extends string>(options: readonly Option[], value: string, what: string): Option {
  const found = options.find((name) => name === value.toLowerCase());
  if (found !== undefined) return found;
  throw invalid(`unsupported ${what} ${JSON.stringify(value)}${didYouMean(value, options)}`, oneOf(options));
}

function invalid(message: string, expected?: string): HavreError {
  return new HavreError("invalid-argument", message, expected === undefined ? {} : { hint: expected });
}
