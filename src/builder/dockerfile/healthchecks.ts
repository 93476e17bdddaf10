import { type Healthcheck, parseGoDuration } from "../../spec/mod.ts";
import type { HealthcheckCommand } from "./commands.ts";
import { DockerfileError } from "./errors.ts";
import { Flags } from "./flags.ts";
import { commandLine } from "./run.ts";
import type { Instruction } from "./tree.ts";

const DURATIONS = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const;
const SHORTEST = 1e6;

export function parseHealthcheck(source: Instruction): HealthcheckCommand {
  const [first, ...rest] = source.arguments;
  const fail = (message: string, expected: string, range = source.range): never => {
    throw new DockerfileError(message, source.file, range, { expected });
  };
  if (first === undefined) return fail("HEALTHCHECK requires at least one argument", "NONE or CMD");
  const type = first.text.toUpperCase();
  if (type === "NONE") {
    const extra = rest[0];
    if (extra !== undefined) fail("HEALTHCHECK NONE takes no arguments", "nothing more", extra.range);
    return { kind: "healthcheck", source, healthcheck: { Test: ["NONE"] } };
  }
  const flags = new Flags(source, {
    interval: "string",
    timeout: "string",
    "start-period": "string",
    "start-interval": "string",
    retries: "string",
  });
  if (type !== "CMD") {
    fail(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`, "NONE or CMD", first.range);
  }
  const line = commandLine({ arguments: rest, json: source.json });
  if (rest.length === 0) fail("Missing command after HEALTHCHECK CMD", "a command");
  const Test = line.form === "exec" ? ["CMD", ...line.arguments] : ["CMD-SHELL", line.text];
  return { kind: "healthcheck", source, healthcheck: { Test, ...durations(source, flags), ...retries(source, flags) } };
}

function durations(source: Instruction, flags: Flags): Partial<Healthcheck> {
  const found: Record<string, number> = {};
  for (const [flag, field] of Object.entries(DURATIONS)) {
    const [word] = flags.words(flag);
    if (word === undefined || word.text === "") continue;
    const duration = parseGoDuration(word.text);
    const fail = (message: string): never => {
      throw new DockerfileError(message, source.file, word.range, { expected: "a duration, as in 30s" });
    };
    if (duration === undefined) return fail(`time: invalid duration ${JSON.stringify(word.text)}`);
    if (duration !== 0 && duration < SHORTEST) fail(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
    if (duration !== 0) found[field] = duration;
  }
  return found;
}

function retries(source: Instruction, flags: Flags): Partial<Healthcheck> {
  const [word] = flags.words("retries");
  if (word === undefined || word.text === "") return {};
  const number = /^[+-]?\d{1,10}$/.test(word.text) ? Number(word.text) : Number.NaN;
  const fail = (message: string): never => {
    throw new DockerfileError(message, source.file, word.range, { expected: "a number from 0" });
  };
  if (Number.isNaN(number)) fail(`strconv.ParseInt: parsing ${JSON.stringify(word.text)}: invalid syntax`);
  if (number > 2 ** 31 - 1) fail(`strconv.ParseInt: parsing ${JSON.stringify(word.text)}: value out of range`);
  if (number < 0) fail(`--retries cannot be negative (${number})`);
  return number === 0 ? {} : { Retries: number };
}
