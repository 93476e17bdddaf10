import { expect, test } from "bun:test";
import { decideAppArmor, defaultAppArmorProfile } from "./apparmor.ts";

test.each([
  ["", false, "havre-default"],
  ["", true, "unconfined"],
  ["docker-default", true, "havre-default"],
  ["unconfined", false, "unconfined"],
  ["mine", true, "mine"],
])("asked %p, privileged %p: %s", (asked, privileged, profile) => {
  expect(decideAppArmor(asked, privileged)).toBe(profile);
});

test("the default profile is whole: it includes no file, and every rule ends", () => {
  const text = defaultAppArmorProfile();
  expect(text).not.toContain("include");
  const [head, ...rules] = text.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
  expect(head).toStartWith("profile havre-default flags=");
  expect(rules.pop()).toBe("}");
  for (const rule of rules) expect(rule).toMatch(/^ {2}\S.*,$/);
});

test("what reaches the host is denied", () => {
  const text = defaultAppArmorProfile();
  for (const denied of ["mount", "/proc/sysrq-trigger rwklx", "/proc/kcore rwklx", "/sys/firmware/** rwklx"])
    expect(text).toContain(`  deny ${denied},\n`);
});
