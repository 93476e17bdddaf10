import { displayWidth } from "../output/width.ts";
import type { Meter } from "./board.ts";
import { sparkline } from "./glyphs.ts";
import { STYLE } from "./line.ts";
import { condition } from "./rows.ts";
import { paint, type Scene } from "./scene.ts";
import { rate, size } from "./units.ts";

const TOLD: readonly (readonly [word: string, style: string])[] = [
  ["unhealthy", STYLE.red],
  ["restarting", STYLE.red],
  ["starting", STYLE.yellow],
  ["paused", STYLE.yellow],
];

/** The first line: how many there are, how they are, and what they use together. */
export function head(scene: Scene, width: number): string {
  const { board, state, trouble } = scene;
  const line = paint(scene, width).add(" havre top", STYLE.bold);
  if (trouble !== undefined) return line.add(`  ${trouble}`, STYLE.red).toString();
  if (!board.look) return line.add("  asking the engine", STYLE.dim).toString();
  const meters = board.meters();
  line.add(`  ${meters.filter(({ reading }) => reading.usage).length} up`);
  for (const [word, style] of TOLD) {
    const count = meters.filter((meter) => condition(meter) === word).length;
    if (count > 0) line.add("  ").add(`${count} ${word}`, style);
  }
  if (board.look.stopped > 0) line.add(`  ${board.look.stopped} stopped`, STYLE.dim);
  if (state.paused) line.add("  ").add(" PAUSED ", STYLE.reverse);
  const parts = totals(scene, meters, width);
  const widthOf = ({ label, bars, text }: Total) => displayWidth(`  ${label} ${bars}${text}`);
  const needed = () => parts.reduce((sum, part) => sum + widthOf(part), 1);
  while (parts.length > 0 && needed() > line.room) parts.pop();
  line.to(width - needed());
  for (const { label, bars, text } of parts) {
    line.add(`  ${label} `, STYLE.dim).add(bars, STYLE.cyan).add(text);
  }
  return line.toString();
}

interface Total {
  readonly label: string;
  readonly bars: string;
  readonly text: string;
}

/** The most telling first. */
function totals({ board, glyphs }: Scene, meters: readonly Meter[], width: number): Total[] {
  const { cpus = 1, memory = 0 } = board.look ?? {};
  const all = (value: (meter: Meter) => number) => meters.reduce((sum, meter) => sum + value(meter), 0);
  const full = cpus * 100;
  const bars = `${sparkline(board.total, width >= 110 ? 20 : 10, full, glyphs)} `;
  return [
    { label: "CPU", bars, text: `${(board.total.at(-1) ?? 0).toFixed(0)}% of ${full}%` },
    { label: "MEM", bars: "", text: `${size(all(({ reading }) => reading.usage?.memory ?? 0))} of ${size(memory)}` },
    {
      label: "NET",
      bars: "",
      text: `${rate(all(({ received }) => received))} in ${rate(all(({ sent }) => sent))} out`,
    },
  ];
}
