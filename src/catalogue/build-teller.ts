import type { BuildEvent } from "../builder/mod.ts";
import type { OnProgress } from "../images/mod.ts";

const LINE = 100;
/** Least time between two lines that a step printed: they are told to show that it goes on. */
const INTERVAL_MS = 1000;

/** Tells a build as progress of one image: the step it is at, then the last line it printed. */
export class BuildTeller {
  readonly #id: string;
  readonly #progress: OnProgress;
  readonly #names = new Map<string, string>();
  readonly #rest = new Map<string, string>();
  #lastLine = 0;

  constructor(id: string, progress: OnProgress) {
    this.#id = id;
    this.#progress = progress;
  }

  event(event: BuildEvent): void {
    if (event.kind === "planned") for (const { digest, name } of event.vertices) this.#names.set(digest, name);
    else if (event.kind === "started") this.#tell(this.#names.get(event.vertex) ?? "");
    else if (event.kind === "log") this.#line(event.vertex, Buffer.from(event.data).toString(), event.at);
  }

  #line(vertex: string, text: string, at: number): void {
    const lines = ((this.#rest.get(vertex) ?? "") + text).split(/[\r\n]+/);
    this.#rest.set(vertex, lines.pop() ?? "");
    const last = lines.map((line) => line.trim()).findLast((line) => line !== "");
    if (last === undefined || at - this.#lastLine < INTERVAL_MS) return;
    this.#lastLine = at;
    this.#tell(last);
  }

  #tell(status: string): void {
    if (status !== "")
      this.#progress({ status: status.length > LINE ? `${status.slice(0, LINE - 1)}…` : status, id: this.#id });
  }
}
