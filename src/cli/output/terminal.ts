import type { ReadStream } from "node:tty";

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** The size of the terminal behind a descriptor; 0 × 0 when there is none. Loaded on demand: it is not cheap. */
export async function terminalSize(fd: number): Promise<Size> {
  const { WriteStream } = await import("node:tty");
  const [columns, rows] = new WriteStream(fd).getWindowSize();
  return { rows: rows ?? 0, columns: columns ?? 0 };
}

/** A terminal whose keys come one by one, unechoed, until it is restored. */
export interface RawTerminal {
  readonly input: ReadStream;
  restore(): void;
}

export async function rawTerminal(fd: number): Promise<RawTerminal> {
  const tty = await import("node:tty");
  const input = new tty.ReadStream(fd);
  input.setRawMode(true);
  let raw = true;
  const restore = () => {
    if (raw) input.setRawMode(false);
    raw = false;
  };
  // Whatever way the program ends, the shell gets its terminal back.
  process.once("exit", restore);
  return { input, restore };
}
