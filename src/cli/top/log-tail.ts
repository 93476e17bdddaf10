import { isHavreError } from "../../base/mod.ts";
import { type Client, FrameReader } from "../../client/mod.ts";

/** Lines kept of the log that is shown. */
const KEPT = 2000;
/** A log that grows faster than this is not followed but looked at again after a while: nobody reads so fast. */
const LINES_PER_LOOK = 2000;
const LOOK_AGAIN_MS = 1000;
/** Someone who goes through the list does not want each log on the way. */
const SETTLE_MS = 120;

/** The end of one container's log, as it grows. */
export class LogTail implements Disposable {
  readonly #client: Client;
  readonly #onChange: () => void;
  #following = "";
  #stop = new AbortController();
  #lines: string[] = [];

  constructor(client: Client, onChange: () => void) {
    this.#client = client;
    this.#onChange = onChange;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Follows a container's log; again from the start when `run`, which tells its starts apart, is another. */
  follow(id: string | undefined, run: string): void {
    const following = id === undefined ? "" : `${id} ${run}`;
    if (following === this.#following) return;
    // Of another container nothing may stand there; of the same one it stays until there is news.
    if (id === undefined || !this.#following.startsWith(id)) this.#lines = [];
    this.#following = following;
    this.#stop.abort();
    this.#stop = new AbortController();
    if (id !== undefined) void this.#run(id, this.#stop.signal);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #run(id: string, signal: AbortSignal): Promise<void> {
    for (let pause = SETTLE_MS; ; pause = LOOK_AGAIN_MS) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (signal.aborted) return;
      try {
        if ((await this.#read(id, signal)) === "ended") return;
      } catch (error) {
        // A container that is gone, a daemon that went away: the list tells.
        if (isHavreError(error)) return;
        throw error;
      }
    }
  }

  async #read(id: string, signal: AbortSignal): Promise<"ended" | "flooded"> {
    const query = { stdout: true, stderr: true, follow: true, tail: KEPT };
    const cut = new AbortController();
    const answer = await this.#client.request("GET", `/containers/${id}/logs`, {
      query,
      signal: AbortSignal.any([signal, cut.signal]),
    });
    const text = new LogText();
    const raw = answer.head.headers.get("content-type")?.includes("raw-stream") ?? false;
    const frames = new FrameReader((_stream, data) => text.push(data));
    const begun = Date.now();
    let count = -KEPT;
    for await (const chunk of answer.body) {
      if (raw) text.push(chunk);
      else frames.push(chunk);
      if (signal.aborted) return "ended";
      count += text.added;
      this.#lines = text.take();
      this.#onChange();
      if (count > LINES_PER_LOOK * (1 + (Date.now() - begun) / LOOK_AGAIN_MS)) {
        cut.abort();
        return "flooded";
      }
    }
    return "ended";
  }
}

/** Lines of text made of a log's bytes: nothing in it can move the cursor, ring, or change a colour. */
export class LogText {
  readonly #decoder = new TextDecoder();
  #lines: string[] = [];
  #open = "";
  #added = 0;

  /** Lines since it was last asked. */
  get added(): number {
    const added = this.#added;
    this.#added = 0;
    return added;
  }

  push(data: Uint8Array): void {
    const lines = (this.#open + this.#decoder.decode(data, { stream: true })).split("\n");
    this.#open = lines.pop() ?? "";
    this.#added += lines.length;
    this.#lines.push(...lines.slice(-KEPT).map(plain));
    if (this.#lines.length > KEPT) this.#lines = this.#lines.slice(-KEPT);
  }

  /** The lines so far, an unfinished one with them. */
  take(): string[] {
    return this.#open === "" ? [...this.#lines] : [...this.#lines, plain(this.#open)];
  }
}

const TAB = 8;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;

/** A line without escape sequences (ECMA-48) and control characters; what a carriage return has overwritten is gone. */
export function plain(line: string): string {
  const last = line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
  let text = last.replace(ESCAPES, "");
  for (let at = text.indexOf("\t"); at >= 0; at = text.indexOf("\t"))
    text = text.slice(0, at) + " ".repeat(TAB - (at % TAB)) + text.slice(at + 1);
  return text.replace(CONTROLS, "");
}
