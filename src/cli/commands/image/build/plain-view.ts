import type { Output } from "../../../output/output.ts";
import type { BuildLine, BuildView } from "./lines.ts";

interface Seen {
  readonly number: number;
  readonly name: string;
  begun: number;
  /** Output whose line has not ended yet. */
  open: string;
}

/** A build as plain lines, `#N` in front of what belongs to a step: for logs and pipes. */
export class PlainView implements BuildView {
  readonly #out: Output;
  readonly #names = new Map<string, string>();
  readonly #seen = new Map<string, Seen>();

  constructor(out: Output) {
    this.#out = out;
  }

  line(line: BuildLine): void {
    switch (line.kind) {
      case "planned":
        for (const { digest, name } of line.vertices) this.#names.set(digest, name);
        return;
      case "started": {
        const name = this.#names.get(line.vertex);
        if (name === undefined) return;
        const seen = { number: this.#seen.size + 1, name, begun: line.at, open: "" };
        this.#seen.set(line.vertex, seen);
        this.#out.line(`#${seen.number} ${name}`);
        return;
      }
      case "log": {
        const seen = this.#seen.get(line.vertex);
        if (!seen) return;
        const lines = (seen.open + line.text).split("\n");
        seen.open = lines.pop() ?? "";
        for (const text of lines) this.#out.line(`#${seen.number} ${seconds(line.at - seen.begun)} ${text}`);
        return;
      }
      case "finished": {
        const seen = this.#seen.get(line.vertex);
        if (!seen) return;
        if (seen.open !== "") this.#out.line(`#${seen.number} ${seconds(line.at - seen.begun)} ${seen.open}`);
        const end = line.failed ? "ERROR" : line.cached ? "CACHED" : `DONE ${seconds(line.at - seen.begun)}s`;
        this.#out.line(`#${seen.number} ${end}\n`);
        return;
      }
      case "fetching": {
        const { status, id, progress } = line.message;
        if (status !== undefined && progress === undefined)
          this.#out.line(`${line.name}: ${id ? `${id}: ` : ""}${status}`);
        return;
      }
      default:
        return;
    }
  }

  end(): void {}
}

export function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(1);
}
