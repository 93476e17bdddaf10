import { readFileSync } from "node:fs";
import { HavreError } from "../base/mod.ts";

/** The id of a group of this host, by name or number. `not-found` when there is none. */
export function groupId(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .find((text) => text.startsWith(`${name}:`));
  if (line === undefined) {
    throw new HavreError("not-found", `No such group: ${name}`, { hint: `Make it with: groupadd --system ${name}` });
  }
  return Number(line.split(":")[2]);
}
