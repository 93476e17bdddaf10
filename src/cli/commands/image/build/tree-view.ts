import type { Output } from "../../../output/output.ts";
import { humanSize } from "../../../output/units.ts";
import type { BuildLine, BuildView } from "./lines.ts";
import { seconds } from "./plain-view.ts";

interface Running {
  readonly name: string;
  /** By this machine's clock. */
  readonly begun: number;
  lines: string[];
  open: string;
  bar: { readonly current: number; readonly total: number } | undefined;
}

const REDRAW_MS = 100;
/** Lines of output shown below a step that runs. */
const TAIL = 4;
const BAR = 20;
const [GREEN, RED, DIM, PLAIN] = ["\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[0m"];

/**
 * A build as it is on a terminal: what is finished stands above, what runs moves below it with its time, its last output,
 * and a bar where something has a known size.
 */
export class TreeView implements BuildView {
  readonly #out: Output;
  readonly #columns: number;
  readonly #rows: number;
  readonly #names = new Map<string, string>();
  readonly #running = new Map<string, Running>();
  readonly #begun = Date.now();
  readonly #fetching = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #drawn = 0;
  #finished = 0;

  constructor(out: Output, size: { readonly columns: number; readonly rows: number }) {
    this.#out = out;
    this.#columns = Math.max(20, size.columns || 80);
    this.#rows = Math.max(6, size.rows || 24);
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  line(line: BuildLine): void {
    switch (line.kind) {
      case "planned":
        this.#fetching.clear();
        for (const { digest, name } of line.vertices) this.#names.set(digest, name);
        return;
      case "started": {
        const name = this.#names.get(line.vertex);
        if (name !== undefined) {
          this.#running.set(line.vertex, { name, begun: Date.now(), lines: [], open: "", bar: undefined });
        }
        return;
      }
      case "log": {
        const running = this.#running.get(line.vertex);
        if (!running) return;
        const lines = (running.open + line.text).split("\n");
        running.open = lines.pop() ?? "";
        running.lines = [...running.lines, ...lines].slice(-TAIL);
        return;
      }
      case "progress": {
        const running = this.#running.get(line.vertex);
        if (running) running.bar = line.done ? undefined : { current: line.current, total: line.total };
        return;
      }
      case "finished":
        this.#finish(line.vertex, line);
        return;
      case "fetching": {
        const { status = "", id, progress } = line.message;
        this.#fetching.set(id ?? line.name, `${line.name} ${id ?? ""} ${status} ${progress ?? ""}`);
        return;
      }
      default:
        return;
    }
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#erase();
  }

  #finish(vertex: string, { cached, failed }: { readonly cached: boolean; readonly failed: boolean }): void {
    const running = this.#running.get(vertex);
    if (!running) return;
    this.#running.delete(vertex);
    this.#finished++;
    const time = cached ? "cached" : `${seconds(Date.now() - running.begun)}s`;
    const [mark, colour] = failed ? ["✗", RED] : ["✓", GREEN];
    this.#erase();
    this.#out.line(this.#row(`${colour}${mark}${PLAIN}`, running.name, `${DIM}${time}${PLAIN}`, time.length));
    this.#draw();
  }

  #draw(): void {
    const lines: string[] = [];
    const running = [...this.#running.values()];
    for (const text of this.#fetching.values()) lines.push(this.#cut(`  ${text}`));
    for (const { name, begun, lines: tail, open, bar } of running) {
      const time = `${seconds(Date.now() - begun)}s`;
      lines.push(this.#row("▸", name, time, time.length));
      if (bar) lines.push(this.#cut(`    ${barOf(bar)}`));
      const shown = open === "" ? tail : [...tail.slice(1 - TAIL), open];
      for (const text of shown) lines.push(`${DIM}${this.#cut(`    ${printable(text)}`)}${PLAIN}`);
    }
    const total = `${seconds(Date.now() - this.#begun)}s, ${this.#finished} of ${this.#names.size} steps`;
    const room = this.#rows - 2;
    const kept = lines.length > room ? lines.slice(-room) : lines;
    this.#erase();
    this.#out.write([...kept, `${DIM}${this.#cut(`  ${total}`)}${PLAIN}`].map((text) => `${text}\n`).join(""));
    this.#drawn = kept.length + 1;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\r\x1b[J`);
    this.#drawn = 0;
  }

  /** A name with something at the right edge. */
  #row(mark: string, name: string, right: string, rightWidth: number): string {
    const width = this.#columns - rightWidth - 5;
    const text = printable(name.replaceAll(/\s*\n\s*/g, " "));
    const shown = text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text.padEnd(width);
    return ` ${mark} ${shown} ${right}`;
  }

  #cut(text: string): string {
    return text.length < this.#columns ? text : `${text.slice(0, this.#columns - 2)}…`;
  }
}

function barOf({ current, total }: { readonly current: number; readonly total: number }): string {
  if (total <= 0) return humanSize(current);
  const filled = Math.min(BAR, Math.round((current / total) * BAR));
  return `${"━".repeat(filled)}${"╌".repeat(BAR - filled)} ${humanSize(current)} of ${humanSize(total)}`;
}

/** What a step prints must not move the cursor. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replaceAll(/[\x00-\x1f\x7f]/g, " ");
}
