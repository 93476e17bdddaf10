import { describe, expect, test } from "bun:test";
import type { RuntimeSpec, SeccompProfile } from "../../spec/mod.ts";
import { arm64 } from "./arm64.ts";
import type { Instruction } from "./instructions.ts";
import { allowingLandlock, confiner } from "./mod.ts";
import { x64 } from "./x64.ts";

const HERE = 0x1000;
const there = () => 0x1100;

/** As GNU as writes them. */
test.each<[Instruction, arm64: string, x64: string]>([
  [{ op: "copy", to: "a", from: "c" }, "f30315aa", "4c89e3"],
  [{ op: "stack", to: "b" }, "f4030091", "4889e5"],
  [{ op: "add", to: "c", value: 16 }, "b5420091", "4981c410000000"],
  [{ op: "set", to: "a", value: -100 }, "730c8092f3ffbff2", "48c7c39cffffff"],
  [{ op: "set", to: "h", value: 0x400123 }, "7a2480d21a08a0f2", "49c7c023014000"],
  [{ op: "load", register: "e", base: "d", offset: 8, size: 8 }, "d70640f9", "4d8bb508000000"],
  [{ op: "load", register: "b", base: "c", offset: 3, size: 1 }, "b40e4039", "490fb6ac2403000000"],
  [{ op: "store", register: "g", base: "e", offset: 0, size: 1 }, "f9020039", "4d888e00000000"],
  [{ op: "jump", to: "x" }, "40000014", "e9fb000000"],
  [{ op: "jumpIf", register: "h", is: "below", value: -22, to: "x" }, "5f5b00b1eb070054", "4981f8eaffffff0f8cf3000000"],
])("%j", (instruction, arm, amd) => {
  expect(Buffer.from(arm64.encode(instruction, HERE, there)).toString("hex")).toBe(arm);
  expect(Buffer.from(x64.encode(instruction, HERE, there)).toString("hex")).toBe(amd);
});

test("there is a confiner for two processors", () => {
  const rules = { files: 1, network: 0, scopes: 0, paths: [], ports: [] };
  for (const [architecture, machine] of [
    ["x64", 62],
    ["arm64", 183],
  ] as const) {
    const program = confiner(rules, architecture);
    expect([program?.[18], program?.subarray(0, 4)]).toEqual([machine, Buffer.from("\x7fELF")]);
  }
  expect(confiner(rules, "s390x")).toBeUndefined();
});

describe("a filter of the user's own", () => {
  const withFilter = (seccomp: SeccompProfile) => ({ linux: { seccomp } }) as unknown as RuntimeSpec;
  const names = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"];

  test("lets the confiner's calls through", () => {
    const denying = { names: ["landlock_add_rule", "mount"], action: "SCMP_ACT_ERRNO" };
    expect(
      allowingLandlock(withFilter({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [denying] })).linux.seccomp?.syscalls,
    ).toEqual([
      { names: ["mount"], action: "SCMP_ACT_ERRNO" },
      { names, action: "SCMP_ACT_ALLOW" },
    ]);
    expect(allowingLandlock(withFilter({ defaultAction: "SCMP_ACT_ERRNO" })).linux.seccomp?.syscalls).toEqual([
      { names, action: "SCMP_ACT_ALLOW" },
    ]);
  });

  test("stays as it is where it does already", () => {
    for (const filter of [
      { defaultAction: "SCMP_ACT_ALLOW" },
      { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: [...names, "read"], action: "SCMP_ACT_ALLOW" }] },
    ]) {
      const spec = withFilter(filter);
      expect(allowingLandlock(spec)).toBe(spec);
    }
  });
});
