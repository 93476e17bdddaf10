import { createHash } from "node:crypto";
import { HavreError } from "../../base/mod.ts";
import { readTar, type TarEntry, type TarMember } from "../../snapshots/mod.ts";
import { type ApplicationPlan, parsePlan } from "./plan.ts";

/** A member of a tar tells its size first: what is made as it goes comes in members of at most this many bytes. */
const PART = 4 << 20;
const PLAN = "application.json";
const END = "end.json";
const PLAN_LIMIT = 16 << 20;

/** One stream inside the archive: the images, or a volume. */
export interface Section {
  readonly name: string;
  readonly content: () => AsyncIterable<Uint8Array>;
}

/** The members of an application's archive: its plan, its sections in parts, and a digest of them. */
export async function* applicationMembers(
  plan: ApplicationPlan,
  sections: readonly Section[],
): AsyncGenerator<TarMember> {
  yield member(PLAN, Buffer.from(JSON.stringify(plan)));
  const hash = createHash("sha256");
  for (const { name, content } of sections) {
    let number = 0;
    for await (const part of parts(content())) {
      hash.update(part);
      yield member(`${name}/${String(number++).padStart(8, "0")}`, part);
    }
  }
  yield member(END, Buffer.from(JSON.stringify({ sha256: hash.digest("hex") })));
}

function member(path: string, body: Uint8Array): TarMember {
  return { header: { path, size: body.length, mode: 0o600 }, body };
}

async function* parts(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + PART - size);
      gathered.push(piece);
      size += piece.length;
      at += piece.length;
      if (size < PART) continue;
      yield Buffer.concat(gathered);
      [gathered, size] = [[], 0];
    }
  }
  if (size > 0) yield Buffer.concat(gathered);
}

/** An archive of an application as it is read: the plan, then section after section. */
export class ApplicationReader implements AsyncDisposable {
  readonly plan: ApplicationPlan;
  readonly #entries: AsyncIterator<TarEntry>;
  readonly #hash = createHash("sha256");
  #next: TarEntry | undefined;

  private constructor(plan: ApplicationPlan, entries: AsyncIterator<TarEntry>) {
    this.plan = plan;
    this.#entries = entries;
  }

  static async open(source: AsyncIterable<Uint8Array>): Promise<ApplicationReader> {
    const entries = readTar(source)[Symbol.asyncIterator]();
    const { value: first } = await entries.next();
    if (first?.header.path !== PLAN) throw new HavreError("invalid-argument", "This is no archive of an application");
    const reader = new ApplicationReader(parsePlan(Buffer.from(await first.bytes(PLAN_LIMIT)).toString()), entries);
    await reader.#advance();
    return reader;
  }

  /** The content of the next section, which must be the one named. */
  async *section(name: string): AsyncGenerator<Uint8Array> {
    while (this.#next?.header.path.startsWith(`${name}/`)) {
      for await (const bytes of this.#next.body()) {
        this.#hash.update(bytes);
        yield bytes;
      }
      await this.#advance();
    }
  }

  /** `data-loss` unless everything has come, and as it was sent. */
  async end(): Promise<void> {
    const last = this.#next;
    const said = last?.header.path === END ? Buffer.from(await last.bytes(PLAN_LIMIT)).toString() : "";
    if (said !== JSON.stringify({ sha256: this.#hash.digest("hex") }))
      throw new HavreError("data-loss", "The archive of the application is cut short or damaged", {
        hint: "Nothing of it was kept but images; export it again",
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#entries.return?.();
  }

  async #advance(): Promise<void> {
    const { done, value } = await this.#entries.next();
    this.#next = done ? undefined : value;
  }
}
