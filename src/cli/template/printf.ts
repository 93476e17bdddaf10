import type { Kinds } from "./values.ts";

const VERB = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+))?([a-zA-Z%])/g;

/** Go's fmt.Sprintf for the verbs v s q d x X o b c t f e g p T and %, with width, precision and flags. */
export function formatGo(format: string, args: readonly unknown[], kinds: Kinds): string {
  let next = 0;
  const out = format.replace(
    VERB,
    (_whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      const size = width === "*" ? Number(args[next++]) : Number(width ?? 0);
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const shown = formatOne(verb, args[next++], precision, kinds);
      const signed = flags.includes("+") && /^[\d.]+$/.test(shown) ? `+${shown}` : shown;
      if (flags.includes("-")) return signed.padEnd(size);
      return flags.includes("0") && verb !== "s" ? signed.padStart(size, "0") : signed.padStart(size);
    },
  );
  if (next >= args.length) return out;
  const extra = args
    .slice(next)
    .map((value) => `${typeof value === "string" ? "string" : "int"}=${kinds.print(value)}`);
  return `${out}%!(EXTRA ${extra.join(", ")})`;
}

function formatOne(verb: string, value: unknown, precision: string | undefined, kinds: Kinds): string {
  const digits = precision === undefined ? undefined : Number(precision);
  switch (verb) {
    case "q":
      return JSON.stringify(kinds.print(value));
    case "d":
      return typeof value === "number" ? String(Math.trunc(value)) : `%!d(${kinds.print(value)})`;
    case "x":
    case "X": {
      const hex = typeof value === "number" ? value.toString(16) : Buffer.from(kinds.print(value)).toString("hex");
      return verb === "X" ? hex.toUpperCase() : hex;
    }
    case "o":
      return Number(value).toString(8);
    case "b":
      return Number(value).toString(2);
    case "c":
      return String.fromCodePoint(Number(value));
    case "f":
      return Number(value).toFixed(digits ?? 6);
    case "e":
      return Number(value).toExponential(digits ?? 6);
    default: {
      const shown = kinds.print(value);
      return digits === undefined ? shown : shown.slice(0, digits);
    }
  }
}
