import { isHavreError } from "../base/mod.ts";
import { runProgram } from "./program.ts";

/** Interfaces that firewalld has in one of its zones (firewall-cmd(1)); undefined when it does not run here. */
export async function listFirewalldInterfaces(): Promise<ReadonlySet<string> | undefined> {
  try {
    return interfacesInZones(await runProgram("firewall-cmd", ["--get-active-zones"], ""));
  } catch (error) {
    if (isHavreError(error)) return undefined;
    throw error;
  }
}

/** Reads `firewall-cmd --get-active-zones`. */
export function interfacesInZones(text: string): ReadonlySet<string> {
  return new Set(text.split("\n").flatMap((line) => /^\s+interfaces: (.+)$/.exec(line)?.[1]?.split(" ") ?? []));
}

/** Puts interfaces into the zone that accepts everything, until firewalld starts anew. */
export async function trustInFirewalld(interfaces: readonly string[]): Promise<void> {
  await runProgram("firewall-cmd", ["--zone=trusted", ...interfaces.map((name) => `--add-interface=${name}`)], "");
}
