import { HavreError } from "../../base/mod.ts";

/** The value of a variable, or undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

const NAME = /[_a-zA-Z][_a-zA-Z0-9]*/y;
const OPERATOR = /:?[-?+]/y;

/**
 * Replaces `$NAME`, `${NAME}` and its modifiers (`:-` `-` default, `:?` `?` required, `:+` `+` replacement; each may
 * hold variables itself) in a text; `$$` is a dollar sign. `onUnset` hears of variables that are not set and have no
 * default. `invalid-argument` for a template that is none, `failed-precondition` for a required variable that is missing.
 * Source: Compose Specification, Interpolation.
 */
export function substitute(template: string, lookup: Lookup, onUnset: (name: string) => void): string {
  if (!template.includes("$")) return template;
  let result = "";
  for (let at = 0; at < template.length; ) {
    const dollar = template.indexOf("$", at);
    if (dollar < 0) return result + template.slice(at);
    result += template.slice(at, dollar);
    const next = template.charAt(dollar + 1);
    if (next === "$") {
      result += "$";
      at = dollar + 2;
    } else if (next === "{") {
      const end = closingBrace(template, dollar + 1);
      result += braced(template, template.slice(dollar + 2, end), lookup, onUnset);
      at = end + 1;
    } else {
      const name = match(NAME, template, dollar + 1);
      if (name === undefined) result += "$";
      else result += plain(name, lookup, onUnset);
      at = dollar + 1 + (name?.length ?? 0);
    }
  }
  return result;
}

/** A variable as a template uses it. */
export interface TemplateVariable {
  readonly name: string;
  readonly required: boolean;
  /** What stands for it when it is not set, and when it is; as written. */
  readonly otherwise: string;
  readonly instead: string;
}

/** The variables of a template, those in their defaults too. `invalid-argument` for one that is none. */
export function templateVariables(template: string): TemplateVariable[] {
  const found: TemplateVariable[] = [];
  for (let at = template.indexOf("$"); at >= 0; at = template.indexOf("$", at)) {
    const next = template.charAt(at + 1);
    if (next !== "{") {
      const name = next === "$" ? undefined : match(NAME, template, at + 1);
      if (name !== undefined) found.push({ name, required: false, otherwise: "", instead: "" });
      at += next === "$" ? 2 : 1 + (name?.length ?? 0);
      continue;
    }
    const end = closingBrace(template, at + 1);
    const inside = template.slice(at + 2, end);
    const name = match(NAME, inside, 0) ?? "";
    const operator = match(OPERATOR, inside, name.length) ?? "";
    const word = inside.slice(name.length + operator.length);
    const kind = operator.at(-1);
    found.push({
      name,
      required: kind === "?",
      otherwise: kind === "-" ? word : "",
      instead: kind === "+" ? word : "",
    });
    found.push(...templateVariables(word));
    at = end + 1;
  }
  return found;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function closingBrace(template: string, open: number): number {
  let depth = 0;
  for (let at = open; at < template.length; at++) {
    if (template[at] === "{" && (at === open || template[at - 1] === "$")) depth++;
    else if (template[at] === "}" && --depth === 0) return at;
  }
  throw invalid(template, "the brace is not closed");
}

function braced(template: string, inside: string, lookup: Lookup, onUnset: (name: string) => void): string {
  const name = match(NAME, inside, 0);
  if (name === undefined) throw invalid(template, "a variable's name is missing after ${");
  const operator = match(OPERATOR, inside, name.length);
  if (operator === undefined) {
    if (inside !== name) throw invalid(template, `${JSON.stringify(inside.slice(name.length))} after the name ${name}`);
    return plain(name, lookup, onUnset);
  }
  const value = lookup(name);
  const present = value !== undefined && (operator.length === 1 || value !== "");
  const word = inside.slice(name.length + operator.length);
  if (operator.endsWith("+")) return present ? substitute(word, lookup, onUnset) : "";
  if (present) return value;
  if (operator.endsWith("-")) return substitute(word, lookup, onUnset);
  const reason = substitute(word, lookup, onUnset);
  throw new HavreError(
    "failed-precondition",
    `required variable ${name} is missing a value${reason === "" ? "" : `: ${reason}`}`,
  );
}

function plain(name: string, lookup: Lookup, onUnset: (name: string) => void): string {
  const value = lookup(name);
  if (value === undefined) onUnset(name);
  return value ?? "";
}

function invalid(template: string, why: string): HavreError {
  return new HavreError("invalid-argument", `Invalid template: ${JSON.stringify(template)}: ${why}`, {
    hint: "A dollar sign that is meant as such is written $$",
  });
}
