import { HavreError } from "../../../../base/mod.ts";
import { ipVersion, parseSize } from "../../../../spec/mod.ts";
import { type Flag, value } from "../../../args/flags.ts";

export function refuse(message: string): never {
  throw new HavreError("invalid-argument", message);
}

export function checkStream(text: string): string {
  const stream = text.toLowerCase();
  return ["stdin", "stdout", "stderr"].includes(stream) ? stream : refuse("valid streams are STDIN, STDOUT and STDERR");
}

/** `NAME=value` as it is; `NAME` alone takes its value from this program's environment, if it has one there. */
export function checkEnvironment(text: string): string {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === "") refuse(`invalid environment variable: ${text}`);
  const own = equals < 0 ? process.env[name] : undefined;
  return own === undefined ? text : `${name}=${own}`;
}

export function checkLabel(text: string): string {
  const key = text.replace(/=[\s\S]*$/, "").replace(/^[ \t]+/, "");
  if (key === "") refuse(`invalid label '${text}': empty name`);
  if (/[ \t]/.test(key)) refuse(`label '${text}' contains whitespaces`);
  return text;
}

export function checkIp(text: string): string {
  return ipVersion(text.trim()) > 0 ? text.trim() : refuse(`IP address is not correctly formatted: ${text}`);
}

const DOMAIN =
  /^(:?(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*)\.?\s*$/;

export function checkSearchDomain(text: string): string {
  const trimmed = text.trim();
  if (trimmed === ".") return trimmed;
  const name = DOMAIN.exec(trimmed)?.[1];
  return name !== undefined && /[a-zA-Z]/.test(name) && name.length < 255
    ? name
    : refuse(`${trimmed} is not a valid domain`);
}

export function checkDeviceRule(text: string): string {
  return /^[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(text) ? text : refuse(`invalid device cgroup format '${text}'`);
}

/** A number of bytes with a unit; `-1` too where it means "without limit". */
export function bytesFlag(
  help: string,
  more: { short?: string; hidden?: boolean } = {},
  unlimited = false,
): Flag<number> {
  const parse = (text: string) => (unlimited && text === "-1" ? -1 : parseBytes(text));
  return value("bytes", help, 0, parse, more);
}

export function parseBytes(text: string): number {
  return parseSize(text, 1024) ?? refuse(`invalid size: '${text}'`);
}

const NANO_DIGITS = 9;

/** `1.5` CPUs as nano CPUs, exactly; a fraction (`1/3` is too precise, `1/2` is not) too. */
export function cpusFlag(help: string): Flag<number> {
  return value("decimal", help, 0, parseCpus);
}

export function parseCpus(text: string): number {
  const fraction = /^(\d+)\/(\d+)$/.exec(text);
  if (fraction) {
    const nano = (Number(fraction[1]) * 10 ** NANO_DIGITS) / Number(fraction[2]);
    return Number.isInteger(nano) ? nano : refuse("value is too precise");
  }
  const decimal = /^(-?\d*)(?:\.(\d*))?$/.exec(text);
  if (!decimal || text === "" || text === ".") refuse(`failed to parse ${text} as a rational number`);
  const digits = (decimal[2] ?? "").replace(/0+$/, "");
  if (digits.length > NANO_DIGITS) refuse("value is too precise");
  return Number(`${decimal[1] || "0"}${digits.padEnd(NANO_DIGITS, "0")}`);
}
