import { describe, expect, test } from "bun:test";
import { layOut } from "./columns.ts";
import { renderList } from "./format.ts";
import { indentJson } from "./json.ts";
import { binarySize, humanDuration, humanSize } from "./units.ts";
import { displayWidth, ellipsis } from "./width.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

test.each([
  [0, "Less than a second"],
  [1 * SECOND, "1 second"],
  [59.9 * SECOND, "59 seconds"],
  [60 * SECOND, "About a minute"],
  [59 * 60 * SECOND, "59 minutes"],
  [60 * 60 * SECOND, "About an hour"],
  [1.6 * HOUR, "2 hours"],
  [47 * HOUR, "47 hours"],
  [48 * HOUR, "2 days"],
  [13.9 * DAY, "13 days"],
  [14 * DAY, "2 weeks"],
  [60 * DAY, "2 months"],
  [729 * DAY, "24 months"],
  [730 * DAY, "2 years"],
])("%d ms is %s", (ms, words) => {
  expect(humanDuration(ms)).toBe(words);
});

test.each([
  [0, "0B", "0B"],
  [999, "999B", "999B"],
  [1984230, "1.984MB", "1.98MB"],
  [1000, "1kB", "1kB"],
  [999949, "999.9kB", "1000kB"],
])("%d bytes", (bytes, four, three) => {
  expect(humanSize(bytes)).toBe(four);
  expect(humanSize(bytes, 3)).toBe(three);
});

test("binary sizes", () => {
  expect(binarySize(67108864)).toBe("64MiB");
  expect(binarySize(4160749568)).toBe("3.875GiB");
});

test("wide characters take two columns", () => {
  expect(displayWidth("日本")).toBe(4);
  expect(ellipsis("日本語のテキスト", 6)).toBe("日本…");
  expect(ellipsis("0123456789", 5)).toBe("0123…");
  expect(ellipsis("short", 5)).toBe("short");
});

describe("tables", () => {
  test("columns are ten wide at least, three apart, the last one free", () => {
    expect(layOut("A\tBB\tC\nlonger than ten\tx\tlast\n")).toBe(
      "A                 BB        C\nlonger than ten   x         last\n",
    );
  });

  test("a line without a column ends it", () => {
    expect(layOut("wide column here\tx\nplain\na\tb\n")).toBe("wide column here   x\nplain\na         b\n");
  });

  test("a narrow terminal first narrows the gaps, then cuts what is longest, never ids", () => {
    const text = `ID\tCOMMAND\tNAME\n0123456789ab\t${"c".repeat(40)}\tweb\n`;
    const lines = layOut(text, 40).trimEnd().split("\n");
    expect(lines.every((line) => displayWidth(line) <= 40)).toBe(true);
    expect(lines[1]).toContain("0123456789ab c");
    expect(lines[1]).toEndWith("… web");
  });

  test("plain columns and the template engine print the same", async () => {
    const view = { rows: [{ A: () => "1", B: () => "two" }], headings: { A: "AAA", B: "BBB" }, typeName: "t" };
    const plain = await renderList({ ...view, format: "table {{.A}}\t{{.B}}" });
    const engine = await renderList({ ...view, format: "table {{.A}}\t{{ .B }}" });
    expect(plain).toBe("AAA       BBB\n1         two\n");
    expect(engine).toBe(plain);
  });
});

test("JSON is indented without touching numbers or strings", () => {
  expect(indentJson('[{"a":9223372036854775807,"b":"x,{}:\\"","c":[],"d":{ },"e":[1,2]}]')).toBe(`[
    {
        "a": 9223372036854775807,
        "b": "x,{}:\\"",
        "c": [],
        "d": {},
        "e": [
            1,
            2
        ]
    }
]`);
});
