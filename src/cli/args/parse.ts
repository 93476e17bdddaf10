import { HavreError, nearest } from "../../base/mod.ts";
import type { Flag, Flags, Values } from "./flags.ts";

export interface Parsed<F extends Flags> {
  readonly flags: Values<F>;
  /** Long names of the flags given. */
  readonly changed: ReadonlySet<string>;
  readonly args: readonly string[];
  /** `--help` was given. */
  readonly help: boolean;
}

/** A wrong command line: shown with a pointer to the command's help. */
export class UsageError extends HavreError {
  constructor(message: string, hint?: string) {
    super("invalid-argument", message, hint === undefined ? {} : { hint });
  }
}

/**
 * Reads a command line as Docker's (pflag) does: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`,
 * clusters of switches, `--` ends flags. `interspersed` false: the first argument ends flags, so that a container's
 * command keeps its own.
 */
export function parseArguments<F extends Flags>(flags: F, argv: readonly string[], interspersed: boolean): Parsed<F> {
  const reader = new Reader(flags, argv, interspersed);
  reader.readAll();
  return { flags: reader.values as Values<F>, changed: reader.changed, args: reader.args, help: reader.help };
}

class Reader {
  readonly values: Record<string, unknown> = {};
  readonly changed = new Set<string>();
  readonly args: string[] = [];
  help = false;
  #at = 0;

  constructor(
    readonly flags: Flags,
    readonly argv: readonly string[],
    readonly interspersed: boolean,
  ) {
    for (const [name, flag] of Object.entries(flags)) if (!flag.aliasOf) this.values[name] = flag.initial;
  }

  readAll(): void {
    while (this.#at < this.argv.length && !this.help) {
      const word = this.argv[this.#at++] ?? "";
      if (word === "--") this.#rest();
      else if (word.startsWith("--")) this.#long(word);
      else if (word.startsWith("-") && word.length > 1) this.#cluster(word);
      else {
        this.args.push(word);
        if (!this.interspersed) this.#rest();
      }
    }
  }

  #rest(): void {
    this.args.push(...this.argv.slice(this.#at));
    this.#at = this.argv.length;
  }

  #long(word: string): void {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    if (name === "" || name.startsWith("-")) throw new UsageError(`bad flag syntax: ${word}`);
    const flag = Object.hasOwn(this.flags, name) ? this.flags[name] : undefined;
    if (!flag) {
      if (name === "help") {
        this.help = true;
        return;
      }
      const near = nearest(
        name,
        Object.keys(this.flags).filter((known) => !this.flags[known]?.hidden),
      );
      throw new UsageError(`unknown flag: --${name}`, near && `Did you mean --${near}?`);
    }
    if (equals >= 0) this.#set(name, flag, word.slice(equals + 1));
    else if (flag.alone !== undefined) this.#set(name, flag, flag.alone);
    else this.#set(name, flag, this.#next(`flag needs an argument: --${name}`));
  }

  #cluster(word: string): void {
    let rest = word.slice(1);
    while (rest !== "") {
      const letter = rest.charAt(0);
      const tail = rest.slice(1);
      const entry = Object.entries(this.flags).find(([, flag]) => flag.short === letter);
      if (!entry) {
        if (letter !== "h") throw new UsageError(`unknown shorthand flag: '${letter}' in -${rest}`);
        this.help = true;
        return;
      }
      const [name, flag] = entry;
      if (flag.alone !== undefined && !tail.startsWith("=")) {
        this.#set(name, flag, flag.alone);
        rest = tail;
        continue;
      }
      if (tail === "") this.#set(name, flag, this.#next(`flag needs an argument: '${letter}' in -${rest}`));
      else this.#set(name, flag, tail.startsWith("=") ? tail.slice(1) : tail);
      return;
    }
  }

  #next(complaint: string): string {
    const word = this.argv[this.#at++];
    if (word === undefined) throw new UsageError(complaint);
    return word;
  }

  #set(name: string, flag: Flag<unknown>, text: string): void {
    const target = flag.aliasOf ?? name;
    try {
      this.values[target] = flag.set(text, this.values[target]);
    } catch (error) {
      const shown = flag.short ? `-${flag.short}, --${name}` : `--${name}`;
      const why = error instanceof Error ? error.message : String(error);
      throw new UsageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${why}`);
    }
    this.changed.add(target);
  }
}
