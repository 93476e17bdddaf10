import { DockerfileError } from "./errors.ts";
import type { Word } from "./source.ts";
import { didYouMean } from "./suggest.ts";
import type { Instruction } from "./tree.ts";

type Kind = "boolean" | "string" | "strings";

/** The flags of one instruction, checked against those it knows. */
export class Flags {
  readonly #values = new Map<string, Word[]>();

  /** `invalid-argument` for a flag that is unknown, given twice, or without the value it needs. */
  constructor(instruction: Instruction, known: Readonly<Record<string, Kind>>) {
    for (const flag of instruction.flags) {
      const equals = flag.text.indexOf("=");
      const name = flag.text.slice(2, equals < 0 ? undefined : equals);
      const fail = (message: string, expected: string): never => {
        throw new DockerfileError(message, instruction.file, flag.range, { expected });
      };
      const names = Object.keys(known);
      const kind = Object.hasOwn(known, name) ? known[name] : undefined;
      if (kind === undefined) {
        const choice = names.length === 0 ? "no flag" : oneOf(names.map((option) => `--${option}`));
        fail(`unknown flag: ${name}${didYouMean(name, names)}`, choice);
      }
      const others = this.#values.get(name) ?? [];
      if (others.length > 0 && kind !== "strings") fail(`duplicate flag specified: ${name}`, `--${name} once`);
      const value = flag.text.slice(equals + 1);
      if (kind === "boolean" && equals < 0) others.push({ text: "true", range: flag.range });
      else if (equals < 0 || (kind === "boolean" && value === "")) {
        fail(`missing a value on flag: ${name}`, `--${name}=VALUE`);
      } else if (kind === "boolean" && !/^(true|false)$/i.test(value)) {
        fail(`expecting boolean value for flag ${name}, not: ${value}`, "true or false");
      } else others.push({ text: value, range: flag.range });
      this.#values.set(name, others);
    }
  }

  /** Undefined when not given or empty. */
  string(name: string): string | undefined {
    return this.#values.get(name)?.[0]?.text || undefined;
  }

  boolean(name: string): boolean | undefined {
    return this.#values.get(name)?.[0]?.text.toLowerCase() === "true"
      ? true
      : this.#values.has(name)
        ? false
        : undefined;
  }

  words(name: string): readonly Word[] {
    return this.#values.get(name) ?? [];
  }
}

/** `a, b or c`. */
export function oneOf(options: readonly string[]): string {
  if (options.length < 2) return options.join("");
  return `${options.slice(0, -1).join(", ")} or ${options.at(-1)}`;
}
