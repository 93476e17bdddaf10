import type { OnDetail } from "../../../compose/mod.ts";
import type { BuildLine } from "../image/build/lines.ts";

/** Tells how far a build is, in one line at a time: the step it is at, and what that says. */
export class BuildTeller {
  readonly #names = new Map<string, string>();
  readonly #open = new Map<string, string>();
  readonly #onDetail: OnDetail;

  constructor(onDetail: OnDetail) {
    this.#onDetail = onDetail;
  }

  line(line: BuildLine): void {
    switch (line.kind) {
      case "planned":
        for (const { digest, name } of line.vertices) this.#names.set(digest, oneLine(name));
        return;
      case "started":
        this.#say(this.#names.get(line.vertex) ?? "");
        return;
      case "log": {
        const lines = ((this.#open.get(line.vertex) ?? "") + line.text).split("\n");
        this.#open.set(line.vertex, lines.pop() ?? "");
        for (const text of lines) this.#say(text);
        return;
      }
      case "finished":
        this.#say(this.#open.get(line.vertex) ?? "");
        this.#open.delete(line.vertex);
        return;
      case "fetching": {
        const { status = "", id = "" } = line.message;
        this.#say(`${line.name}: ${id} ${status}`);
        return;
      }
      default:
        return;
    }
  }

  #say(text: string): void {
    if (text.trim() !== "") this.#onDetail(text);
  }
}

function oneLine(name: string): string {
  return name.replaceAll(/\s*\n\s*/g, " ");
}
