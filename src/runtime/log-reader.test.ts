import { expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keepGenerations, openGenerations, removeLog } from "./log-files.ts";
import { type LogQuery, readLog } from "./log-reader.ts";

const ALL: LogQuery = { stdout: true, stderr: true, timestamps: false };

class LogFolder implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "havre-log-"));
  readonly path = join(this.folder, "ctr.log");
  #count = 0;

  constructor() {
    writeFileSync(this.path, "");
  }

  line(text: string, tag: "F" | "P" = "F"): string {
    return `2026-01-02T03:04:05.${String(this.#count++).padStart(9, "0")}+00:00 stdout ${tag} ${text}\n`;
  }

  append(...texts: string[]): void {
    appendFileSync(this.path, texts.map((text) => this.line(text)).join(""));
  }

  /** As conmon begins a new file. */
  rotate(): void {
    writeFileSync(`${this.path}.tmp`, "");
    renameSync(`${this.path}.tmp`, this.path);
  }

  async read(query: Partial<LogQuery> = {}): Promise<string> {
    let text = "";
    for await (const { data } of readLog(this.path, { ...ALL, ...query })) text += Buffer.from(data).toString();
    return text;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

test("generations are kept up to their number and read oldest first", async () => {
  using log = new LogFolder();
  keepGenerations(log.path, 3);
  for (const name of ["a", "b", "c", "d"]) {
    log.append(`${name}1`, `${name}2`);
    if (name === "d") break;
    log.rotate();
    keepGenerations(log.path, 3);
  }
  expect(await log.read()).toBe("b1\nb2\nc1\nc2\nd1\nd2\n");
  removeLog(log.path);
  expect(openGenerations(log.path)).toEqual([]);
});

test("a generation that ended without anybody noticing is still read", async () => {
  using log = new LogFolder();
  keepGenerations(log.path, 3);
  log.append("old");
  log.rotate();
  log.append("new");
  expect(await log.read()).toBe("old\nnew\n");
});

test("the tail is found across generations, with partial records and blocks of any size", async () => {
  using log = new LogFolder();
  const lines: string[] = [];
  keepGenerations(log.path, 10);
  for (let generation = 0; generation < 4; generation++) {
    for (let n = 0; n < 3000; n++) {
      const text = `line ${generation}.${n} ${"x".repeat((n * 37) % 300)}`;
      const cut = n % 5 === 0 ? 4 : 0;
      appendFileSync(log.path, cut ? log.line(text.slice(0, cut), "P") + log.line(text.slice(cut)) : log.line(text));
      lines.push(`${text}\n`);
    }
    if (generation === 3) break;
    log.rotate();
    keepGenerations(log.path, 10);
  }
  for (const tail of [0, 1, 2, 5, 2999, 3000, 3001, 7000, 12000, 20000]) {
    expect(await log.read({ tail })).toBe(tail === 0 ? "" : lines.slice(-tail).join(""));
  }
});

test("following sees appended lines, new generations, and the end", async () => {
  using log = new LogFolder();
  keepGenerations(log.path, 5);
  log.append("first");
  const ended = Promise.withResolvers<void>();
  const stream = readLog(log.path, { ...ALL, follow: { ended: ended.promise } });
  const next = async () => {
    const { value, done } = await stream.next();
    return done ? undefined : Buffer.from(value.data).toString();
  };
  expect(await next()).toBe("first\n");
  const second = next();
  log.append("second");
  expect(await second).toBe("second\n");
  const third = next();
  log.append("third");
  log.rotate();
  keepGenerations(log.path, 5);
  log.append("fourth");
  expect(await third).toBe("third\n");
  expect(await next()).toBe("fourth\n");
  const last = next();
  log.append("last");
  ended.resolve();
  expect(await last).toBe("last\n");
  expect(await next()).toBeUndefined();
});

test("a reader that leaves ends the following", async () => {
  using log = new LogFolder();
  log.append("first");
  const leaving = new AbortController();
  const reading = log.read({ follow: { ended: new Promise(() => {}) }, signal: leaving.signal });
  leaving.abort();
  expect(["", "first\n"]).toContain(await reading);
});

test("half a million lines come back whole", async () => {
  using log = new LogFolder();
  const lines: string[] = [];
  for (let n = 0; n < 500_000; n++) lines.push(log.line(`a line of some forty bytes, number ${n}`));
  writeFileSync(log.path, lines.join(""));
  let size = 0;
  for await (const { data } of readLog(log.path, ALL)) size += data.byteLength;
  expect(size).toBe(lines.join("").length - 500_000 * 45);
});
