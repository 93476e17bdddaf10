import { constants } from "node:os";
import { HavreError } from "../../base/mod.ts";

/** Real-time signals as the C library leaves them to programs. */
const RTMIN = 34;
const RTMAX = 64;

/** A signal by name (`TERM`, `SIGTERM`, `RTMIN+3`) or number. `invalid-argument` with Docker's text. */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : byName(text.toUpperCase().replace(/^SIG/, ""));
  if (number === undefined || number < 1 || number > RTMAX) {
    throw new HavreError("invalid-argument", `invalid signal: ${text}`);
  }
  return number;
}

function byName(name: string): number | undefined {
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime) {
    const base = realTime[1] === "MIN" ? RTMIN : RTMAX;
    const offset = Number(realTime[3] ?? 0) * (realTime[2] === "-" ? -1 : 1);
    const number = base + offset;
    return number >= RTMIN && number <= RTMAX ? number : undefined;
  }
  return new Map<string, number>(Object.entries(constants.signals)).get(`SIG${name}`);
}
