import type { Context } from "../context.ts";
import { type Size, terminalSize } from "../output/terminal.ts";

const [ENTER, LEAVE] = ["\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?1049l"];
/** A terminal that knows how shows a frame when it is whole; others ignore this. */
const [BEGIN, END] = ["\x1b[?2026h", "\x1b[?2026l"];

/** The terminal's other screen, in raw mode, until it is left: with the program, at the latest. */
export class Screen {
  readonly #context: Pick<Context, "out" | "rawTerminal">;
  #raw: { restore(): void } | undefined;
  #drawn: readonly string[] = [];
  #size: Size = { rows: 0, columns: 0 };

  constructor(context: Pick<Context, "out" | "rawTerminal">) {
    this.#context = context;
  }

  get size(): Size {
    return this.#size;
  }

  async enter(): Promise<void> {
    this.#raw = await this.#context.rawTerminal(0);
    this.#context.out.write(ENTER);
    await this.measure();
  }

  /** Gives the terminal back as it was. Twice is as good as once. */
  leave(): void {
    if (!this.#raw) return;
    this.#context.out.write(LEAVE);
    this.#raw.restore();
    this.#raw = undefined;
  }

  /** Asks for the size anew, and forgets what stands there. */
  async measure(): Promise<void> {
    const { rows, columns } = await terminalSize(1);
    // Some serial lines have no size.
    this.#size = { rows: rows || 24, columns: columns || 80 };
    this.#drawn = [];
  }

  /** Writes the lines that have changed. */
  draw(lines: readonly string[]): void {
    if (!this.#raw) return;
    const fresh = this.#drawn.length !== lines.length;
    const changed = lines.map((line, at) => (fresh || line !== this.#drawn[at] ? `\x1b[${at + 1};1H${line}` : ""));
    const text = changed.join("");
    this.#drawn = lines;
    if (text !== "") this.#context.out.write(BEGIN + (fresh ? "\x1b[2J" : "") + text + END);
  }
}
