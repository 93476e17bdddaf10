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

/** A terminal whose keys come one by one, unechoed, and whose output is not touched, until it is restored. */
export interface RawTerminal {
  restore(): void;
}
