import type { Scalar } from "./node.ts";

const NULLS = new Set(["", "~", "null", "Null", "NULL"]);
const TRUE = new Set(["true", "True", "TRUE"]);
const FALSE = new Set(["false", "False", "FALSE"]);
const INTEGER = /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)$/;
const FLOAT = /^[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/;

/**
 * The value of a plain (unquoted) YAML scalar, by the mixture of YAML 1.1 and 1.2 that Compose files are written in:
 * `0440` is octal, underscores part digits, `yes` and `on` are text.
 */
export function resolvePlain(text: string): Scalar {
  if (NULLS.has(text)) return null;
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  if (INTEGER.test(text)) return parseInteger(text);
  if (FLOAT.test(text)) return Number(text.replaceAll("_", ""));
  return text;
}

/** What 64 bits hold, with or without sign, is kept to the last digit; what is larger is no whole number to Compose. */
function parseInteger(text: string): number | bigint {
  const digits = text.replace(/^[-+]/, "").replaceAll("_", "");
  const octal = /^0o?([0-7]+)$/.exec(digits)?.[1];
  const whole = BigInt(octal === undefined ? digits : `0o${octal}`) * (text.startsWith("-") ? -1n : 1n);
  const is64Bits = BigInt.asIntN(64, whole) === whole || BigInt.asUintN(64, whole) === whole;
  return Number.isSafeInteger(Number(whole)) || !is64Bits ? Number(whole) : whole;
}
