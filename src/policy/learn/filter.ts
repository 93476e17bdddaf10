import type { SeccompProfile } from "../../spec/mod.ts";
import { ALWAYS_CALLED } from "./always-called.ts";

type Rule = NonNullable<SeccompProfile["syscalls"]>[number];
type Condition = NonNullable<Rule["args"]>[number];

const ALLOW = "SCMP_ACT_ALLOW";
const ASK = "SCMP_ACT_NOTIFY";
const EPERM = 1;
const ENOSYS = 38;
/** sendto(2): the address that it sends to; absent (0) on a socket that is connected already. */
const SENDTO_ADDRESS = 4;

/**
 * A filter that asks the listener at `listenerPath` about every call but those of `ALWAYS_CALLED`: all that `profile` has
 * and all that are `known`. To ask about all by default is what runc refuses; what nobody knows is not there.
 */
export function askingFilter(
  profile: SeccompProfile | undefined,
  known: readonly string[],
  listenerPath: string,
): SeccompProfile {
  const named = [...(profile?.syscalls ?? []).flatMap(({ names }) => names), ...known];
  const asked = new Set(named.filter((name) => !ALWAYS_CALLED.includes(name) && name !== "sendto"));
  const address = { index: SENDTO_ADDRESS, value: 0 };
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: ENOSYS,
    ...(profile?.architectures ? { architectures: profile.architectures } : {}),
    listenerPath,
    syscalls: [
      { names: ALWAYS_CALLED, action: ALLOW },
      { names: [...asked], action: ASK },
      { names: ["sendto"], action: ALLOW, args: [{ ...address, op: "SCMP_CMP_EQ" }] },
      { names: ["sendto"], action: ASK, args: [{ ...address, op: "SCMP_CMP_NE" }] },
    ],
  };
}

/** What a profile says to one call: undefined, it is allowed; else the errno it fails with. */
export function refusedBy(
  profile: SeccompProfile | undefined,
  name: string,
  args: readonly bigint[],
): number | undefined {
  if (profile === undefined) return undefined;
  const rules = (profile.syscalls ?? []).filter(({ names }) => names.includes(name));
  const met = rules.filter(({ args: conditions = [] }) => conditions.every((one) => holds(one, args)));
  // Of several, the kernel takes the strictest; of a profile's own rules libseccomp takes the one with conditions first.
  const rule = met.find(({ args: conditions = [] }) => conditions.length > 0) ?? met[0];
  if (rule === undefined) return errnoOfAction(profile.defaultAction, profile.defaultErrnoRet);
  return errnoOfAction(rule.action, rule.errnoRet);
}

function errnoOfAction(action: string, errno: number | undefined): number | undefined {
  return action === ALLOW || action === "SCMP_ACT_LOG" ? undefined : (errno ?? EPERM);
}

function holds({ index, value, valueTwo = 0, op }: Condition, args: readonly bigint[]): boolean {
  const given = args[index] ?? 0n;
  const wanted = BigInt(value);
  if (op === "SCMP_CMP_NE") return given !== wanted;
  if (op === "SCMP_CMP_LT") return given < wanted;
  if (op === "SCMP_CMP_LE") return given <= wanted;
  if (op === "SCMP_CMP_GE") return given >= wanted;
  if (op === "SCMP_CMP_GT") return given > wanted;
  if (op === "SCMP_CMP_MASKED_EQ") return (given & wanted) === BigInt(valueTwo);
  return given === wanted;
}

/**
 * A profile narrowed to calls that were seen: its own rules, without the names that were not. Never wider than it was;
 * what every program may call stays.
 */
export function narrowed(profile: SeccompProfile, called: Iterable<string>): SeccompProfile {
  const kept = new Set([...ALWAYS_CALLED, ...STARTS, ...called]);
  const syscalls = (profile.syscalls ?? []).flatMap((rule) => {
    const names = rule.action === ALLOW ? rule.names.filter((name) => kept.has(name)) : rule.names;
    return names.length === 0 ? [] : [{ ...rule, names }];
  });
  return { ...profile, syscalls };
}

/** What the runtime itself still calls when the filter is in force, and a shell's `exec` in the container. */
const STARTS = [
  "execve",
  "prctl",
  "capset",
  "capget",
  "setuid",
  "setgid",
  "setgroups",
  "setresuid",
  "setresgid",
  "openat",
  "newfstatat",
  "stat",
  "statx",
  "readlink",
  "readlinkat",
  "access",
  "faccessat",
  "faccessat2",
  "chdir",
  "fchdir",
  "getcwd",
  "ioctl",
  "prlimit64",
  "setsid",
  "clone",
  "clone3",
  "fork",
  "vfork",
  "kill",
  "tgkill",
  "sendto",
  "socket",
  "statfs",
  "fstatfs",
  "unshare",
  "setns",
  "close",
  "lstat",
  "open",
];
