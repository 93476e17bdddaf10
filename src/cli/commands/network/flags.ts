import { HavreError } from "../../../base/mod.ts";
import { type Flag, list, value } from "../../args/flags.ts";

type Pairs = Readonly<Record<string, string>>;

/** `--flag key=value`, many times. */
export function pairs(type: string, help: string, more: { readonly short?: string } = {}): Flag<Pairs> {
  return value<Pairs>(type, help, {}, (text, previous) => ({ ...previous, ...pair(text) }), more);
}

function pair(text: string): Pairs {
  const equals = text.indexOf("=");
  return equals < 0 ? { [text]: "" } : { [text.slice(0, equals)]: text.slice(equals + 1) };
}

/** Values parted by commas, many times. */
export function strings(help: string): Flag<readonly string[]> {
  const flag = list(help, { type: "strings" });
  return { ...flag, set: (text, previous) => [...previous, ...text.split(",").filter((one) => one !== "")] };
}

/** `--driver-opt key=value`. `invalid-argument` without a key or value. */
export function driverOptions(texts: readonly string[]): Pairs {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf("=");
      if (equals < 1) throw new HavreError("invalid-argument", "invalid key/value pair format in driver options");
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}
