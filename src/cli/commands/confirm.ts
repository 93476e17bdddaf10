import type { Context } from "../context.ts";
import { stdinChunks } from "../streams/input.ts";

/** Asks before something is lost; anything but yes is no, no answer too. */
export async function confirm(context: Context, warning: string): Promise<boolean> {
  context.out.write(`${warning} [y/N] `);
  let typed = "";
  for await (const chunk of stdinChunks()) {
    typed += Buffer.from(chunk).toString();
    if (typed.includes("\n")) break;
  }
  return /^y(es)?$/i.test(typed.split("\n")[0]?.trim() ?? "");
}
