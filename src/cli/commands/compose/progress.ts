import { type StepEvent, subject, words } from "../../../compose/mod.ts";
import type { Output } from "../../output/output.ts";
import { displayWidth, ellipsis } from "../../output/width.ts";

/** Shows how a plan's steps fare. */
export interface StepProgress extends Disposable {
  onEvent(event: StepEvent): void;
  /** Something to say above or between. */
  line(text: string): void;
}

interface Row {
  readonly subject: string;
  word: string;
  detail: string;
  state: StepEvent["state"];
  readonly began: number;
  ended: number | undefined;
}

const QUIET: StepProgress = { onEvent: () => {}, line: () => {}, [Symbol.dispose]: () => {} };

/** A tree that moves on a terminal; a line for what begins and for what is done elsewhere; nothing when quiet. */
export function stepProgress(out: Output, kind: string, columns: number): StepProgress {
  if (kind === "quiet") return QUIET;
  return kind === "plain" || (!out.isTerminal && kind !== "tty") ? new Lines(out) : new Tree(out, columns);
}

class Lines implements StepProgress {
  readonly #said = new Map<string, string>();

  constructor(readonly out: Output) {}

  onEvent({ step, state, detail }: StepEvent): void {
    const [doing, done] = words(step);
    // How far a pull has come is noise where nothing can be overwritten; what is waited for, and what a build says, is not.
    if (state === "doing" && step.kind === "wait" && detail === undefined) return;
    const isTold = step.kind === "wait" || step.kind === "build-image";
    if (state === "doing" && detail !== undefined && !isTold) return;
    const word = state === "doing" ? doing : state === "done" ? done : "Error";
    const line = ` ${subject(step)}  ${word}${detail ? `  ${detail}` : ""}`;
    if (this.#said.get(subject(step)) === line) return;
    this.#said.set(subject(step), line);
    this.out.line(line);
  }

  line(text: string): void {
    this.out.line(text);
  }

  [Symbol.dispose](): void {}
}

const FRAME_MS = 100;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

class Tree implements StepProgress {
  readonly #rows = new Map<string, Row>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #began = performance.now();
  #drawn = 0;

  constructor(
    readonly out: Output,
    readonly columns: number,
  ) {
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  onEvent({ step, state, detail }: StepEvent): void {
    const [doing, done] = words(step);
    const key = subject(step);
    const row = this.#rows.get(key) ?? {
      subject: key,
      word: "",
      detail: "",
      state,
      began: performance.now(),
      ended: undefined,
    };
    row.word = state === "doing" ? doing : state === "done" ? done : "Error";
    row.detail = detail ?? "";
    row.state = state;
    row.ended = state === "doing" ? undefined : performance.now();
    this.#rows.set(key, row);
  }

  line(text: string): void {
    this.#clear();
    this.out.line(text);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#draw();
    // What is drawn now stays: others write below it.
    this.#rows.clear();
    this.#drawn = 0;
  }

  #clear(): void {
    // The terminal may have shown ^C where the cursor was.
    if (this.#drawn > 0) this.out.write(`\x1b[${this.#drawn}A\r\x1b[0J`);
    this.#drawn = 0;
  }

  #draw(): void {
    if (this.#rows.size === 0) return;
    const rows = [...this.#rows.values()];
    const finished = rows.filter(({ state }) => state === "done").length;
    const width = Math.max(...rows.map((row) => displayWidth(row.subject)));
    const lines = [`[+] Running ${finished}/${rows.length}`, ...rows.map((row) => this.#line(row, width))];
    const shown = lines.map((line) => line);
    this.#clear();
    this.out.write(`${shown.join("\n")}\n`);
    this.#drawn = shown.length;
  }

  #line({ subject: name, word, detail, state, began, ended }: Row, width: number): string {
    const now = performance.now();
    const spin = SPINNER[Math.floor((now - this.#began) / FRAME_MS) % SPINNER.length] ?? "";
    const mark =
      state === "done" ? "\x1b[32m✔\x1b[0m" : state === "failed" ? "\x1b[31m✘\x1b[0m" : `\x1b[36m${spin}\x1b[0m`;
    const colour = state === "failed" ? "31" : state === "done" ? "32" : "36";
    const seconds = `${(((ended ?? now) - began) / 1000).toFixed(1)}s`;
    const left = `${name}${" ".repeat(width - displayWidth(name))}  ${word.padEnd(9)}`;
    const room = this.columns > 0 ? this.columns - displayWidth(left) - seconds.length - 6 : 200;
    const more = ellipsis(detail.replace(/\s+/g, " "), Math.max(0, room));
    const gap = this.columns > 0 ? " ".repeat(Math.max(1, room - displayWidth(more) + 1)) : "  ";
    const text = left.slice(0, left.length - word.padEnd(9).length);
    return ` ${mark} ${text}\x1b[${colour}m${word.padEnd(9)}\x1b[0m ${more}${gap}\x1b[34m${seconds}\x1b[0m`;
  }
}
