import type { SeccompProfile } from "../spec/mod.ts";
import { defaultSeccompProfile } from "./seccomp-default.ts";
import { parseSeccompProfile, type RuleFilter, type SourceProfile } from "./seccomp-profile.ts";

/** What a profile's conditions are decided by. */
export interface SeccompContext {
  /** Go's name: `amd64`, `arm64`, … */
  readonly architecture: string;
  /** Kernel release, `6.1.0-13-amd64`. */
  readonly kernel: string;
  /** The container's bounding set, `CAP_…`. */
  readonly capabilities: readonly string[];
}

export interface SeccompDecision {
  /** undefined: no filter. */
  readonly profile: SeccompProfile | undefined;
  readonly explain: string;
}

const NATIVE: Readonly<Record<string, string>> = {
  "386": "SCMP_ARCH_X86",
  amd64: "SCMP_ARCH_X86_64",
  arm: "SCMP_ARCH_ARM",
  arm64: "SCMP_ARCH_AARCH64",
  ppc64le: "SCMP_ARCH_PPC64LE",
  s390x: "SCMP_ARCH_S390X",
  riscv64: "SCMP_ARCH_RISCV64",
};

function kernelAtLeast(release: string, minimum: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map((part) => Number.parseInt(part, 10));
  const [wantMajor = 0, wantMinor = 0] = minimum.split(".").map((part) => Number.parseInt(part, 10));
  return major > wantMajor || (major === wantMajor && minor >= wantMinor);
}

/** A rule needs every capability it includes … */
function includes(filter: RuleFilter | undefined, context: SeccompContext): boolean {
  if (!filter) return true;
  if (filter.arches?.length && !filter.arches.includes(context.architecture)) return false;
  if (filter.caps?.some((capability) => !context.capabilities.includes(capability))) return false;
  return filter.minKernel === undefined || kernelAtLeast(context.kernel, filter.minKernel);
}

/** … and is gone with any that it excludes. */
function excludes(filter: RuleFilter | undefined, context: SeccompContext): boolean {
  if (!filter) return false;
  if (filter.arches?.includes(context.architecture)) return true;
  if (filter.caps?.some((capability) => context.capabilities.includes(capability))) return true;
  return filter.minKernel !== undefined && kernelAtLeast(context.kernel, filter.minKernel);
}

/** The OCI profile for one host and one container's capabilities. */
export function resolveSeccomp(source: SourceProfile, context: SeccompContext): SeccompProfile {
  const native = NATIVE[context.architecture];
  const mapped = source.archMap?.find((entry) => entry.architecture === native);
  const architectures =
    source.architectures ?? (mapped ? [mapped.architecture, ...mapped.subArchitectures] : undefined);
  const syscalls = source.syscalls
    .filter((rule) => !excludes(rule.excludes, context) && includes(rule.includes, context))
    .map(({ includes: _includes, excludes: _excludes, ...rule }) => rule);
  return {
    defaultAction: source.defaultAction,
    ...(source.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: source.defaultErrnoRet }),
    ...(architectures ? { architectures } : {}),
    ...(source.flags ? { flags: source.flags } : {}),
    syscalls,
  };
}

/**
 * The filter for a container. `option` is the value of `--security-opt seccomp=`: empty or `builtin` for the default,
 * `unconfined`, or a profile's JSON text. `invalid-argument` when that text is no profile.
 */
export function decideSeccomp(option: string, privileged: boolean, context: SeccompContext): SeccompDecision {
  if (option === "unconfined") return { profile: undefined, explain: "no system call filter: seccomp=unconfined" };
  if (privileged) return { profile: undefined, explain: "no system call filter: privileged" };
  if (option === "" || option === "builtin") {
    const profile = resolveSeccomp(defaultSeccompProfile(), context);
    return { profile, explain: "the default system call filter, opened for the container's capabilities" };
  }
  const source = parseSeccompProfile(option);
  if (!source) return { profile: undefined, explain: "no system call filter: the given profile is empty" };
  return { profile: resolveSeccomp(source, context), explain: "the given system call filter" };
}
