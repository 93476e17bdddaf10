import type { Flags, Values } from "../../args/flags.ts";
import type { Command } from "../../command.ts";
import type { Context } from "../../context.ts";

/** Calls another command as if its line had been typed: flags that are not given have their defaults. */
export async function callCommand<F extends Flags>(
  command: Command<F>,
  context: Context,
  args: readonly string[],
  given: Partial<Values<F>>,
): Promise<number> {
  const initial = Object.entries(command.flags).map(([name, { initial }]) => [name, initial]);
  const flags = { ...Object.fromEntries(initial), ...given } as Values<F>;
  return (await command.run({ context, args, flags, changed: new Set(Object.keys(given)) })) ?? 0;
}
