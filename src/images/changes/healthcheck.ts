import { type Healthcheck, parseGoDuration } from "../../spec/mod.ts";
import { type Instruction, invalid, parseJsonForm } from "./words.ts";

const DURATION_FLAGS: Readonly<Record<string, "Interval" | "Timeout" | "StartPeriod" | "StartInterval">> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
};
const SHORTEST = 1e6;

/** `HEALTHCHECK [flags] CMD …` or `HEALTHCHECK NONE` (Dockerfile reference). */
export function parseHealthcheck({ flags, rest }: Instruction): Healthcheck {
  const [, word = "", command = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (word === "") throw invalid("HEALTHCHECK requires at least one argument");
  const type = word.toUpperCase();
  if (type === "NONE") {
    if (command !== "") throw invalid("HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"] };
  }
  if (type !== "CMD") throw invalid(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  const exec = parseJsonForm(command);
  if (command === "" || exec?.length === 0) throw invalid("Missing command after HEALTHCHECK CMD");
  return flags.reduce<Healthcheck>(applyFlag, { Test: exec ? ["CMD", ...exec] : ["CMD-SHELL", command] });
}

function applyFlag(check: Healthcheck, flag: string): Healthcheck {
  const equals = flag.indexOf("=");
  const name = equals < 0 ? flag : flag.slice(0, equals);
  const value = equals < 0 ? undefined : flag.slice(equals + 1);
  const field = DURATION_FLAGS[name];
  if (field === undefined && name !== "retries") throw invalid(`unknown flag: ${name}`);
  if (value === undefined) throw invalid(`missing a value on flag: ${name}`);
  if (value === "") return check;
  if (field !== undefined) return { ...check, [field]: parseDuration(name, value) };
  const retries = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(retries)) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  if (retries < 0) throw invalid(`--retries cannot be negative (${retries})`);
  return { ...check, Retries: retries };
}

/** Nanoseconds of a duration in Go's notation (`1m30s`). */
function parseDuration(flag: string, text: string): number {
  const nanoseconds = parseGoDuration(text);
  if (nanoseconds === undefined) throw invalid(`time: invalid duration ${JSON.stringify(text)}`);
  if (nanoseconds !== 0 && nanoseconds < SHORTEST) {
    throw invalid(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
  }
  return nanoseconds;
}
