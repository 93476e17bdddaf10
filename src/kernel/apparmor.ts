import { readFileSync, writeFileSync } from "node:fs";
import { errnoOf } from "../base/mod.ts";
import { runProgram } from "./program.ts";

/** Whether the kernel has AppArmor and it is switched on. */
export function hasAppArmor(): boolean {
  return read("/sys/module/apparmor/parameters/enabled").startsWith("Y");
}

/** Whether a profile of this name is loaded. False too where securityfs is not mounted: then nobody can say. */
export function isAppArmorProfileLoaded(name: string): boolean {
  return `\n${read("/sys/kernel/security/apparmor/profiles")}`.includes(`\n${name} (`);
}

/**
 * Loads profiles written as text (apparmor.d(5)), in the place of those of the same name. The kernel takes compiled
 * ones only, which apparmor_parser makes: `unavailable` when it is not installed, `internal` when it refuses.
 */
export async function loadAppArmorProfile(text: string): Promise<void> {
  await runProgram("apparmor_parser", ["--replace", "--skip-cache"], text);
}

/** Takes a profile out of the kernel. What runs under it does so no more; one that is not there is no error. */
export function unloadAppArmorProfile(name: string): void {
  try {
    writeFileSync("/sys/kernel/security/apparmor/.remove", name);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "EACCES") return "";
    throw error;
  }
}
