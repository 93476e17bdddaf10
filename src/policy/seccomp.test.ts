import { describe, expect, test } from "bun:test";
import { decideSeccomp, resolveSeccomp, type SeccompContext } from "./seccomp.ts";
import { parseSeccompProfile } from "./seccomp-profile.ts";

const plain: SeccompContext = { architecture: "amd64", kernel: "6.1.0-13-amd64", capabilities: [] };

function namesOf(context: SeccompContext, action = "SCMP_ACT_ALLOW"): Set<string> {
  const { profile } = decideSeccomp("", false, context);
  return new Set(profile?.syscalls?.filter((rule) => rule.action === action).flatMap((rule) => rule.names));
}

describe("the default profile", () => {
  test("allows 361 calls to a plain container on amd64, and what it names at most once without arguments", () => {
    expect(namesOf({ ...plain, capabilities: ["CAP_SYS_CHROOT"] }).size).toBe(361);
    const { profile } = decideSeccomp("", false, plain);
    const whole = profile?.syscalls?.filter((rule) => rule.args === undefined).flatMap((rule) => rule.names) ?? [];
    expect(whole.filter((name, index) => whole.indexOf(name) !== index)).toEqual([]);
  });

  test.each([
    "mount",
    "umount2",
    "setns",
    "unshare",
    "bpf",
    "reboot",
    "kexec_load",
    "keyctl",
    "io_uring_setup",
    "userfaultfd",
  ])("refuses %s", (name) => {
    expect(namesOf(plain).has(name)).toBe(false);
  });

  test("opens up with the capability that governs a call", () => {
    const admin = { ...plain, capabilities: ["CAP_SYS_ADMIN"] };
    expect(namesOf(admin).has("mount")).toBe(true);
    expect(namesOf({ ...plain, capabilities: ["CAP_SYS_TIME"] }).has("clock_settime")).toBe(true);
    expect(namesOf(plain, "SCMP_ACT_ERRNO")).toEqual(new Set(["clone3"]));
    expect(namesOf(admin, "SCMP_ACT_ERRNO")).toEqual(new Set());
  });

  test("is for the host's architecture", () => {
    expect(decideSeccomp("", false, plain).profile?.architectures).toEqual([
      "SCMP_ARCH_X86_64",
      "SCMP_ARCH_X86",
      "SCMP_ARCH_X32",
    ]);
    expect(namesOf(plain).has("arch_prctl")).toBe(true);
    const arm = { ...plain, architecture: "arm64" };
    expect(namesOf(arm).has("arch_prctl")).toBe(false);
    expect(namesOf(arm).has("cacheflush")).toBe(true);
  });

  test("keeps ptrace from old kernels, where it goes round a filter", () => {
    expect(namesOf(plain).has("ptrace")).toBe(true);
    expect(namesOf({ ...plain, kernel: "4.7.99" }).has("ptrace")).toBe(false);
    expect(namesOf({ ...plain, kernel: "4.8.0-rc1" }).has("ptrace")).toBe(true);
  });
});

describe("a profile of one's own", () => {
  test("is resolved as the default is", () => {
    const source = parseSeccompProfile(
      JSON.stringify({
        defaultAction: "SCMP_ACT_ERRNO",
        archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
        syscalls: [
          { name: "read", action: "SCMP_ACT_ALLOW" },
          { names: ["write"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_SYS_ADMIN"] } },
          { names: ["open"], action: "SCMP_ACT_ALLOW", excludes: { arches: ["amd64"] }, comment: "ignored" },
        ],
      }),
    );
    expect(source && resolveSeccomp(source, plain)).toEqual({
      defaultAction: "SCMP_ACT_ERRNO",
      architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
      syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }],
    });
  });

  test.each([
    ["not json", "Decoding seccomp profile failed"],
    ["[]", "Decoding seccomp profile failed: the profile is not an object"],
    ['{"syscalls":{}}', "Decoding seccomp profile failed: syscalls is not a list"],
    [
      '{"syscalls":[{"names":[1],"action":"x"}]}',
      "Decoding seccomp profile failed: syscalls[0].names[0] is not a string",
    ],
    ['{"syscalls":[{"name":"a","names":["b"],"action":"x"}]}', "both 'name' and 'names' are specified"],
    [
      '{"defaultAction":"x","architectures":["a"],"archMap":[{"architecture":"a","subArchitectures":[]}]}',
      "both 'architectures' and 'archMap' are specified",
    ],
  ])("%s is refused", (text, message) => {
    expect(() => decideSeccomp(text, false, plain)).toThrow(message);
  });

  test("none at all: unconfined, privileged, or an empty profile", () => {
    expect(decideSeccomp("unconfined", false, plain).profile).toBeUndefined();
    expect(decideSeccomp("", true, plain).profile).toBeUndefined();
    expect(decideSeccomp("{}", false, plain).profile).toBeUndefined();
  });
});
