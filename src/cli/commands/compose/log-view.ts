import { type Client, FrameReader } from "../../../client/mod.ts";
import type { ContainerState } from "../../../compose/mod.ts";
import { LABEL, serviceOf } from "../../../compose/mod.ts";
import type { Context } from "../../context.ts";

export interface LogOptions {
  readonly follow: boolean;
  readonly tail: string;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly timestamps: boolean;
  readonly signal?: AbortSignal;
}

const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** Prints lines of many containers, each with the container's name before it, in a colour of its own. */
export class LogView {
  readonly #colours = new Map<string, number>();
  #width = 0;

  constructor(
    readonly context: Pick<Context, "out" | "err">,
    readonly options: { readonly coloured: boolean; readonly prefixed: boolean },
  ) {}

  /** Makes room for the names, so that lines stand below each other. */
  announce(names: readonly string[]): void {
    for (const name of names) {
      this.#width = Math.max(this.#width, name.length);
      if (!this.#colours.has(name)) this.#colours.set(name, COLOURS[this.#colours.size % COLOURS.length] ?? 36);
    }
  }

  line(name: string, text: string): void {
    this.context.out.line(this.#prefix(name) + text);
  }

  /** A container's log as it comes; ends with it. */
  async follow(client: Client, container: ContainerState, options: LogOptions): Promise<void> {
    const name = shortName(container);
    this.announce([name]);
    const answer = await client.request("GET", `/containers/${container.id}/logs`, {
      query: {
        stdout: true,
        stderr: true,
        follow: options.follow || undefined,
        tail: options.tail,
        since: options.since,
        until: options.until,
        timestamps: options.timestamps || undefined,
      },
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const lines = new LineSplitter((text) => this.line(name, text));
    const isRaw = answer.head.headers.get("content-type")?.includes("raw-stream") ?? false;
    const frames = new FrameReader((stream, data) => lines.push(stream, data));
    try {
      for await (const chunk of answer.body) {
        if (isRaw) lines.push("stdout", chunk);
        else frames.push(chunk);
      }
    } catch (error) {
      if (!options.signal?.aborted) throw error;
    }
    lines.end();
  }

  #prefix(name: string): string {
    if (!this.options.prefixed) return "";
    const text = `${name.padEnd(this.#width)}  | `;
    return this.options.coloured ? `\x1b[${this.#colours.get(name) ?? 36}m${text}\x1b[0m` : text;
  }
}

/** `web-1`: a container's name within its project; its own name where that is fixed. */
export function shortName(container: ContainerState): string {
  const project = container.labels[LABEL.project] ?? "";
  const usual = `${project}-${serviceOf(container)}-${container.labels[LABEL.number] ?? ""}`;
  return container.name === usual ? usual.slice(project.length + 1) : container.name;
}

/** Cuts the output of both streams into whole lines. */
class LineSplitter {
  readonly #rest = new Map<string, string>();
  readonly #decoders = new Map<string, TextDecoder>();

  constructor(readonly emit: (line: string) => void) {}

  push(stream: string, data: Uint8Array): void {
    const decoder = this.#decoders.get(stream) ?? new TextDecoder();
    this.#decoders.set(stream, decoder);
    const lines = ((this.#rest.get(stream) ?? "") + decoder.decode(data, { stream: true })).split("\n");
    this.#rest.set(stream, lines.pop() ?? "");
    for (const line of lines) this.emit(line.replace(/\r$/, ""));
  }

  end(): void {
    for (const rest of this.#rest.values()) if (rest !== "") this.emit(rest);
  }
}
