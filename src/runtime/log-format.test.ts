import { describe, expect, test } from "bun:test";
import { LogFormatter, type LogSelection } from "./log-format.ts";

const ALL: LogSelection = { stdout: true, stderr: true, timestamps: false };
const record = (second: number, stream: "stdout" | "stderr", tag: "F" | "P", text: string) =>
  `2026-01-02T03:04:${String(second).padStart(2, "0")}.000000007+00:00 ${stream} ${tag} ${text}\n`;

function format(text: string, selection: Partial<LogSelection> = {}) {
  const formatter = new LogFormatter({ ...ALL, ...selection });
  const block = Buffer.from(text);
  const { chunks, consumed } = formatter.format(block, block.length);
  return { chunks: chunks.map(({ stream, data }) => [stream, Buffer.from(data).toString()]), consumed, formatter };
}

describe("records become output", () => {
  test("neighbouring lines of a stream are one chunk, in order", () => {
    const text =
      record(1, "stdout", "F", "a") +
      record(2, "stdout", "F", "") +
      record(3, "stderr", "F", "b") +
      record(4, "stdout", "F", "c");
    expect(format(text).chunks).toEqual([
      ["stdout", "a\n\n"],
      ["stderr", "b\n"],
      ["stdout", "c\n"],
    ]);
  });

  test("a stream that is not asked for does not split the other", () => {
    const text = record(1, "stdout", "F", "a") + record(2, "stderr", "F", "b") + record(3, "stdout", "F", "c");
    expect(format(text, { stderr: false }).chunks).toEqual([["stdout", "a\nc\n"]]);
  });

  test("partial records are joined, also when the other stream comes between, and get one time", () => {
    const text =
      record(1, "stdout", "P", "one ") +
      record(2, "stderr", "F", "err") +
      record(3, "stdout", "F", "line") +
      record(4, "stdout", "F", "next");
    expect(format(text, { timestamps: true }).chunks).toEqual([
      ["stdout", "2026-01-02T03:04:01.000000007Z one "],
      ["stderr", "2026-01-02T03:04:02.000000007Z err\n"],
      ["stdout", "line\n2026-01-02T03:04:04.000000007Z next\n"],
    ]);
  });

  test("since and until are inclusive, and a line's own time selects it", () => {
    const text = [1, 2, 3, 4, 5].map((second) => record(second, "stdout", "F", String(second))).join("");
    const at = (second: number) => Date.UTC(2026, 0, 2, 3, 4, second);
    const { chunks, formatter } = format(text, { since: at(2), until: at(4) });
    expect(chunks).toEqual([["stdout", "2\n3\n4\n"]]);
    expect(formatter.finished).toBe(true);
    const line = "2026-01-02T03:04:05.683375999+00:00 stdout F x\n";
    const own = Date.UTC(2026, 0, 2, 3, 4, 5) + 683.375999;
    expect(format(line, { since: own, until: own }).chunks).toEqual([["stdout", "x\n"]]);
    expect(format(line, { since: own + 0.002 }).chunks).toEqual([]);
    expect(format(line, { until: own - 0.002 }).chunks).toEqual([]);
  });

  test("a torn record is passed over, an unfinished one is left", () => {
    const whole = record(1, "stdout", "F", "a");
    const text = `${whole}2026-01-02T03:\n${record(2, "stdout", "F", "b")}2026-01-02T03:04:03.0000`;
    const { chunks, consumed } = format(text);
    expect(chunks).toEqual([["stdout", "a\nb\n"]]);
    expect(consumed).toBe(whole.length * 2 + 15);
  });
});
