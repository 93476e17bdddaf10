import { HavreError } from "../../base/mod.ts";
import { isTerminal } from "../output/output.ts";

/** A pseudo-terminal joined to input that is no terminal would misbehave: refused, as Docker does. */
export function checkTerminal(attachStdin: boolean, tty: boolean): void {
  if (attachStdin && tty && !isTerminal(0))
    throw new HavreError("failed-precondition", "the input device is not a TTY");
}

/** Rows and columns of our terminal, as the API orders them; zeros when there is none. */
export async function consoleSize(isTerminalOut: boolean): Promise<readonly [number, number]> {
  if (!isTerminalOut) return [0, 0];
  const { terminalSize } = await import("../output/terminal.ts");
  const { rows, columns } = await terminalSize(1);
  return [rows, columns];
}
