interface Row {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
}

/** A Markdown table; each value beside how many times the first column's it is. */
export function printTable(names: readonly string[], rows: readonly Row[]): string {
  const cells = rows.map(({ name, unit, values: [first = Number.NaN, ...others] }) => [
    `${name} (${unit})`,
    plain(first),
    ...others.map((value) => (Number.isNaN(value) ? "" : `${plain(value)} (× ${(value / first).toFixed(2)})`)),
  ]);
  const table = [["", ...names], ...cells];
  const widths = ["", ...names].map((_, column) => Math.max(3, ...table.map((row) => row[column]?.length ?? 0)));
  const print = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (column === 0 ? (row[0] ?? "").padEnd(width) : (row[column] ?? "").padStart(width))).join(" | ")} |\n`;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [table[0] ?? [], rule, ...table.slice(1)].map(print).join("");
}

function plain(value: number): string {
  return Number.isNaN(value) ? "" : value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
