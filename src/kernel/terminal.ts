import { libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({
  tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
  tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
  cfmakeraw: { args: ["ptr"], returns: "void" },
});

/** Larger than `struct termios` of any C library. */
const TERMIOS_SIZE = 128;
const TCSADRAIN = 1;

/** A terminal in raw mode, until it is restored. */
export interface RawTerminal {
  restore(): void;
}

/**
 * Hands every key on as it is typed and writes every byte as it is (cfmakeraw(3)): a program that draws on the terminal
 * through us relies on both. The runtime's own raw mode goes on translating newlines in the output.
 */
export function makeRaw(fd: number): RawTerminal {
  const saved = new Uint8Array(TERMIOS_SIZE);
  if (libc().tcgetattr(fd, saved) !== 0) throw systemError("tcgetattr", `descriptor ${fd}`);
  const raw = saved.slice();
  libc().cfmakeraw(raw);
  if (libc().tcsetattr(fd, TCSADRAIN, raw) !== 0) throw systemError("tcsetattr", `descriptor ${fd}`);
  return { restore: () => void libc().tcsetattr(fd, TCSADRAIN, saved) };
}
