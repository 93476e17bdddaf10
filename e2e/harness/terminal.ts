import { until } from "./process.ts";

/** A program in a pseudo-terminal, as a person has it before them. */
export class TerminalSession implements AsyncDisposable {
  readonly #decoder = new TextDecoder();
  readonly #process: Bun.Subprocess;
  #screen = "";

  constructor(command: readonly string[], env: Readonly<Record<string, string>>, size = { rows: 24, cols: 80 }) {
    this.#process = Bun.spawn([...command], {
      env: { ...process.env, ...env },
      terminal: {
        ...size,
        data: (_terminal, data) => {
          this.#screen += this.#decoder.decode(data, { stream: true });
        },
      },
    });
  }

  /** Everything written to the terminal so far. */
  get screen(): string {
    return this.#screen;
  }

  type(text: string): void {
    this.#process.terminal?.write(text);
  }

  resize(rows: number, cols: number): void {
    this.#process.terminal?.resize(cols, rows);
  }

  /** Waits for a text that was not there at `from` characters. Returns where the screen ends then. */
  async shows(text: string | RegExp, from = 0): Promise<number> {
    await until(`the terminal shows ${text}, it shows ${JSON.stringify(this.#screen.slice(from))}`, () => {
      const seen = this.#screen.slice(from);
      return typeof text === "string" ? seen.includes(text) : text.test(seen);
    });
    return this.#screen.length;
  }

  exited(): Promise<number> {
    return this.#process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
    this.#process.terminal?.close();
  }
}
