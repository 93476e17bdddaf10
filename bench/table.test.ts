import { expect, test } from "bun:test";
import { printTable } from "./table.ts";

test("values stand beside their ratio to the first column", () => {
  const rows = [
    { name: "run", unit: "ms", values: [40, 80, 350] },
    { name: "memory", unit: "MB", values: [75.26, Number.NaN, Number.NaN] },
  ];
  expect(printTable(["havre", "cli", "docker"], rows)).toBe(
    [
      "|             | havre |           cli |       docker |",
      "| ----------- | ----: | ------------: | -----------: |",
      "| run (ms)    |  40.0 | 80.0 (× 2.00) | 350 (× 8.75) |",
      "| memory (MB) |  75.3 |               |              |",
      "",
    ].join("\n"),
  );
});
