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

function parseInteger(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[-+]/, "").replaceAll("_", "");
  const octal = /^0o?([0-7]+)$/.exec(digits)?.[1];
  return sign * (octal === undefined ? Number(digits) : Number.parseInt(octal, 8));
}
