import { isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { HavreError } from "../../../base/mod.ts";

/** What a service is to have. */
export interface ServiceTerms {
  readonly grants: readonly string[];
  /** Path of its filter, as the file names it. */
  readonly seccomp?: string;
}

/**
 * The text of a Compose file with a service under the hardened profile and with these grants. Only the lines concerned
 * change. `not-found` when the file has no such service in block style.
 */
export function withTerms(text: string, service: string, { grants, seccomp }: ServiceTerms): string {
  const labels = [["havre.grants", grants.join(" ")] as const, ["havre.profile", "hardened"] as const];
  let changed = text;
  for (const [name, value] of labels) changed = withEntry(changed, service, "labels", name, value);
  return seccomp === undefined ? changed : withEntry(changed, service, "security_opt", "seccomp", seccomp);
}

/** One `name: value` or `- name=value` below `key`; an empty value takes it out. */
function withEntry(text: string, service: string, key: string, name: string, value: string): string {
  const document = parseDocument(text);
  const node = document.getIn(["services", service]);
  const [first] = isMap(node) ? node.items : [];
  if (document.errors.length > 0 || !isMap(node) || node.flow || first === undefined)
    throw new HavreError("not-found", `The file has no service ${service} that could be changed`, {
      hint: "Where it is included or extended, write the label havre.grants there",
    });
  const holder = node.get(key);
  const at = startOf(first);
  const indent = " ".repeat(columnOf(text, at));
  const listed = key === "security_opt";
  const entry = listed ? `- ${name}=${value}` : `${name}: ${value}`;
  if (holder === undefined) return value === "" ? text : insert(text, at, `${key}:\n${indent}  ${entry}\n${indent}`);
  if (isSeq(holder) && !holder.flow && holder.items.length > 0) return inList(text, holder, name, value);
  if (isMap(holder) && !holder.flow && holder.items.length > 0) return inMap(text, holder, name, value);
  throw new HavreError("failed-precondition", `${key} of ${service} is not written line by line`, {
    hint: `Write it in block style, or add by hand: ${entry}`,
  });
}

function inList(text: string, list: YAMLSeq, name: string, value: string): string {
  const old = list.items.find((item) => isScalar(item) && new RegExp(`^${name}[=:]`).test(String(item.value)));
  if (isScalar(old) && old.range) {
    const [start, end] = old.range;
    return value === "" ? withoutLine(text, start) : `${text.slice(0, start)}${name}=${value}${text.slice(end)}`;
  }
  const start = list.range?.[0] ?? 0;
  const indent = " ".repeat(columnOf(text, start));
  return value === "" ? text : insert(text, start, `- ${name}=${value}\n${indent}`);
}

function inMap(text: string, map: YAMLMap, name: string, value: string): string {
  const old = map.items.find(({ key }) => isScalar(key) && key.value === name);
  if (old && isScalar(old.value) && old.value.range) {
    const [start, end] = old.value.range;
    return value === "" ? withoutLine(text, start) : `${text.slice(0, start)}${value}${text.slice(end)}`;
  }
  const [first] = map.items;
  const start = first === undefined ? 0 : startOf(first);
  return value === "" ? text : insert(text, start, `${name}: ${value}\n${" ".repeat(columnOf(text, start))}`);
}

function startOf({ key }: Pair): number {
  return isScalar(key) ? (key.range?.[0] ?? 0) : 0;
}

const insert = (text: string, at: number, added: string): string => text.slice(0, at) + added + text.slice(at);
const columnOf = (text: string, at: number): number => at - (text.lastIndexOf("\n", at - 1) + 1);

function withoutLine(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(0, text.lastIndexOf("\n", at) + 1) + (end < 0 ? "" : text.slice(end + 1));
}
