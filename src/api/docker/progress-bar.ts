const WIDTH = 50;
const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Docker's bar of a count (`[====>   ]  1.2MB/3.4MB`), for clients that show what they are sent. */
export function progressBar(current: number, total: number): string {
  if (total <= 0) return humanSize(current).padStart(8);
  const share = Math.min(Math.floor((current / total) * 100), 100) / 2;
  const filled = "=".repeat(Math.floor(share));
  const empty = WIDTH > share ? " ".repeat(WIDTH - Math.floor(share)) : "";
  return `[${filled}>${empty}] ${humanSize(current).padStart(8)}/${humanSize(total)}`;
}

/** Four significant digits, decimal units (docker/go-units HumanSize). */
function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${Number(size.toPrecision(4))}${UNITS[unit]}`;
}
