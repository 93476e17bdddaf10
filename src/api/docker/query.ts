import { HavreError } from "../../base/mod.ts";
import { StatusError } from "./errors.ts";

const FALSE = new Set(["", "0", "no", "false", "none"]);

/** The parameters of a request, read as dockerd reads them. */
export class Query {
  readonly #values: URLSearchParams;

  constructor(text: string) {
    this.#values = new URLSearchParams(text);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string {
    return this.#values.get(name) ?? "";
  }

  /** undefined when it is absent or empty. */
  optional(name: string): string | undefined {
    return this.#values.get(name) || undefined;
  }

  all(name: string): readonly string[] {
    return this.#values.getAll(name);
  }

  /** Anything but the words for no is yes. */
  flag(name: string, absent = false): boolean {
    if (!this.#values.has(name)) return absent;
    return !FALSE.has(this.text(name).trim().toLowerCase());
  }

  /** A whole number; undefined when absent or empty. `status`: what dockerd answers to a wrong one here. */
  integer(name: string, status: 400 | 500 = 400): number | undefined {
    const text = this.text(name);
    if (text === "") return undefined;
    return parseInteger(text, "Atoi", status);
  }

  /** A whole number that has to be there. */
  requiredInteger(name: string): number {
    return parseInteger(this.text(name), "Atoi", 400);
  }

  /** Seconds since the epoch with a fraction, as milliseconds. */
  time(name: string): number | undefined {
    return parseTimestamp(this.text(name));
  }
}

export function parseInteger(text: string, parser: "Atoi" | "ParseInt", status: 400 | 500): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  const message = `strconv.${parser}: parsing ${JSON.stringify(text)}: invalid syntax`;
  if (status === 400) throw new HavreError("invalid-argument", message);
  throw new StatusError(status, "invalid-argument", message);
}

/** `1700000000.123456789` as milliseconds since the epoch; undefined for an empty text. */
export function parseTimestamp(text: string): number | undefined {
  if (text === "") return undefined;
  const [seconds = "", fraction = ""] = text.split(".", 2);
  const whole = parseInteger(seconds, "ParseInt", 500);
  if (fraction === "") return whole * 1000;
  parseInteger(fraction, "ParseInt", 500);
  return whole * 1000 + Number(fraction.slice(0, 9).padEnd(9, "0")) / 1e6;
}
