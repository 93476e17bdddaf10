/**
 * Landlock rules on a container's processes: a program of a kilobyte, made for the container, through which each of them
 * is started. See docs/decisions/landlock-by-a-program-of-our-own.md.
 *
 * Words: confiner (that program). Owns `<bundle>/confiner`, which is there as long as the container's processes are confined.
 */
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LandlockRules } from "../../policy/mod.ts";
import type { RuntimeMount, RuntimeProcess, RuntimeSpec, SeccompProfile } from "../../spec/mod.ts";
import { confiner } from "./confiner.ts";

export { landlockVersion } from "../../kernel/mod.ts";
export { commandTrouble } from "./command.ts";
export { confiner };

const FILE = "confiner";
/** In its /dev: no other place is sure to leave no trace in the container's tree. */
const PLACE = "/dev/confiner";

/** Whether there is a confiner for this processor. */
export function canConfine(architecture: string = process.arch): boolean {
  return architecture === "x64" || architecture === "arm64";
}

/** Makes the container's confiner, or sees to it that there is none. */
export function placeConfiner(bundle: string, rules: LandlockRules | undefined): void {
  const path = join(bundle, FILE);
  rmSync(path, { force: true });
  const program = rules && confiner(rules);
  if (program === undefined) return;
  writeFileSync(path, program, { mode: 0o555 });
  // Whatever the daemon's umask.
  chmodSync(path, 0o555);
}

export function isConfined(bundle: string): boolean {
  return existsSync(join(bundle, FILE));
}

/** The specification with its process started through the bundle's confiner, if there is one. */
export function confined(spec: RuntimeSpec, bundle: string): RuntimeSpec {
  if (!isConfined(bundle)) return spec;
  const mount: RuntimeMount = {
    destination: PLACE,
    type: "bind",
    source: join(bundle, FILE),
    options: ["bind", "ro", "nosuid", "nodev", "rprivate"],
  };
  return { ...spec, process: confinedProcess(spec.process, bundle), mounts: [...spec.mounts, mount] };
}

/** A process, of an exec too, started through the bundle's confiner, if there is one. */
export function confinedProcess(process: RuntimeProcess, bundle: string): RuntimeProcess {
  // A command without a name is the runtime's to refuse.
  if (!isConfined(bundle) || !process.args[0]) return process;
  return { ...process, args: [PLACE, ...process.args] };
}

const CALLS = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"];

/** A system call filter of the user's own that lets the confiner do its work: with these calls nobody gains anything. */
export function allowingLandlock(spec: RuntimeSpec): RuntimeSpec {
  const { seccomp } = spec.linux;
  if (!seccomp || allows(seccomp)) return spec;
  const others = (seccomp.syscalls ?? []).map((rule) => ({
    ...rule,
    names: rule.names.filter((name) => !CALLS.includes(name)),
  }));
  const syscalls = [...others.filter(({ names }) => names.length > 0), { names: CALLS, action: "SCMP_ACT_ALLOW" }];
  return { ...spec, linux: { ...spec.linux, seccomp: { ...seccomp, syscalls } } };
}

function allows({ defaultAction, syscalls = [] }: SeccompProfile): boolean {
  const rules = syscalls.filter(({ names }) => names.some((name) => CALLS.includes(name)));
  const free = rules.every(({ action, args = [] }) => action === "SCMP_ACT_ALLOW" && args.length === 0);
  const named = CALLS.every((name) => rules.some(({ names }) => names.includes(name)));
  return free && (named || defaultAction === "SCMP_ACT_ALLOW");
}
