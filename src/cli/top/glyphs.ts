/** Signs to draw with. */
export interface Glyphs {
  /** From almost nothing to full. */
  readonly bars: readonly string[];
  readonly rule: string;
  readonly up: string;
  readonly stopped: string;
  readonly bad: string;
  readonly busy: string;
  readonly rising: string;
  readonly falling: string;
  readonly down: string;
  readonly separator: string;
  readonly enter: string;
  readonly arrows: readonly [vertical: string, horizontal: string];
}

const UNICODE: Glyphs = {
  bars: [..."▁▂▃▄▅▆▇█"],
  rule: "─",
  up: "●",
  stopped: "○",
  bad: "✖",
  busy: "◐",
  rising: "▲",
  falling: "▼",
  down: "↓",
  separator: "·",
  enter: "↵",
  arrows: ["↑↓", "←→"],
};
const ASCII: Glyphs = {
  bars: [..."_.:-=+*#"],
  rule: "-",
  up: "*",
  stopped: "-",
  bad: "!",
  busy: "~",
  rising: "^",
  falling: "v",
  down: "v",
  separator: "|",
  enter: "enter",
  arrows: ["j/k", "</>"],
};

/** What the terminal can show: signs beyond ASCII need UTF-8 (locale(7)), and the kernel's console has no bars. */
export function glyphsFor(env: Readonly<Record<string, string | undefined>>): Glyphs {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "C.UTF-8";
  return /utf-?8/i.test(locale) && env.TERM !== "linux" ? UNICODE : ASCII;
}

/** The last values as bars, right-aligned; `full` is the height of the highest bar. Nothing is drawn for nothing. */
export function sparkline(values: readonly number[], width: number, full: number, { bars }: Glyphs): string {
  const shown = values.slice(-width).map((value) => {
    if (value <= 0) return bars[0] ?? " ";
    return bars[Math.min(bars.length - 1, Math.floor((value / full) * bars.length))] ?? " ";
  });
  return shown.join("").padStart(width);
}
