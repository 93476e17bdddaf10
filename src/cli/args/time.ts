import { HavreError } from "../../base/mod.ts";

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };

/** Milliseconds of a Go duration (`1h30m`, `250ms`, `-5s`); undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[+-]/, "");
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0;
  for (const [, amount, unit] of body.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
    total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
  return sign * total;
}

/** A Go duration flag's nanoseconds; `invalid-argument` with Go's text. */
export function durationNanos(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return Math.round(ms * 1e6);
  const why = /^[+-]?[\d.]+$/.test(text) ? "missing unit in duration" : "invalid duration";
  throw new HavreError("invalid-argument", `time: ${why} ${JSON.stringify(text)}`);
}

/**
 * A moment as the API takes it (Unix seconds, fractional): a duration before now, a date in RFC 3339 or a shorter form
 * in local time, or Unix seconds. Nothing given: undefined.
 */
export function timeQuery(name: string, text: string, now = Date.now()): string | undefined {
  if (text === "") return undefined;
  const back = parseDuration(text);
  if (back !== undefined) return ((now - back) / 1000).toFixed(9);
  const date = /^\d{4}-\d{2}-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.exec(text);
  if (!date) {
    if (/^\d+(\.\d+)?$/.test(text)) return text;
    throw new HavreError(
      "invalid-argument",
      `invalid value for "${name}": failed to parse value as time or duration: ${JSON.stringify(text)}`,
      {
        hint: 'Give a time ("2013-01-02T13:23:37Z"), a duration back from now ("42m") or Unix seconds',
      },
    );
  }
  return (dateMs(text) / 1000).toFixed(9);
}

function dateMs(text: string): number {
  const [day = "", clock = ""] = text.split("T");
  const zone = /(?:Z|[+-]\d{2}:\d{2})$/.exec(clock)?.[0] ?? "";
  const time = zone === "" ? clock : clock.slice(0, -zone.length);
  const full = ["00:00:00", `${time}:00:00`, `${time}:00`, time][time === "" ? 0 : time.split(":").length] ?? time;
  return Date.parse(`${day}T${full}${zone}`);
}
