import type { Flags, Values } from "./args/flags.ts";
import type { Context } from "./context.ts";

export interface Invocation<F extends Flags> {
  readonly flags: Values<F>;
  /** Long names of the flags given. */
  readonly changed: ReadonlySet<string>;
  readonly args: readonly string[];
  readonly context: Context;
}

export interface Command<F extends Flags = Flags> {
  /** `[OPTIONS] IMAGE [COMMAND] [ARG...]`: what follows the command's name. */
  readonly usage: string;
  readonly summary: string;
  /** Longer explanation for help. */
  readonly detail?: string;
  /** Lines as one would type them, without the program's name; `# …` explains. */
  readonly examples: readonly (readonly [line: string, why: string])[];
  readonly flags: F;
  /** How many arguments it takes. */
  readonly min: number;
  readonly max?: number;
  /** False: flags end at the first argument. */
  readonly interspersed?: boolean;
  /** Exit code of a wrong command line; Docker's `run`, `create` and the like use 125. */
  readonly usageExit?: number;
  run(invocation: Invocation<F>): Promise<number | undefined>;
}

/** Gives a command its flags' types. */
export function defineCommand<F extends Flags>(command: Command<F>): Command<F> {
  return command;
}
