import { HavreError } from "../base/mod.ts";

/** Linux capabilities by number (capabilities(7)). */
export const ALL_CAPABILITIES: readonly string[] = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST
  NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
  SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
  BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`);

/** What a container has unless it asks for more or less (Docker's default set). */
export const DEFAULT_CAPABILITIES: readonly string[] = `
  CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`);

export interface CapabilityRequest {
  /** `ALL`, or names with or without `CAP_`, in any case. */
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
  /** What this host can give: the daemon's own set. */
  readonly available: readonly string[];
}

export interface CapabilityDecision {
  readonly capabilities: readonly string[];
  /** Why the set is what it is, a sentence each. */
  readonly explain: readonly string[];
}

const EVERYTHING = "ALL";

function normalise(names: readonly string[], available: readonly string[]): string[] {
  return names.map((given) => {
    const upper = given.toUpperCase();
    if (upper === EVERYTHING) return EVERYTHING;
    const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
    if (!ALL_CAPABILITIES.includes(name))
      throw new HavreError("invalid-argument", `unknown capability: ${JSON.stringify(name)}`);
    if (!available.includes(name))
      throw new HavreError(
        "invalid-argument",
        `capability not supported by your kernel or not available in the current environment: ${JSON.stringify(name)}`,
      );
    return name;
  });
}

/**
 * The capabilities of a container's process. A default that the host cannot give is left out.
 * `invalid-argument`, in Docker's words, for a name that is unknown or that this host does not have.
 */
export function decideCapabilities(request: CapabilityRequest): CapabilityDecision {
  if (request.privileged)
    return { capabilities: [...request.available], explain: ["every capability of this host: privileged"] };
  const added = normalise(request.add, request.available);
  const dropped = normalise(request.drop, request.available);
  const kept = (base: readonly string[]) => base.filter((name) => !dropped.includes(name));
  const plus = added.filter((name) => name !== EVERYTHING);
  if (added.includes(EVERYTHING))
    return {
      capabilities: kept(request.available),
      explain: ["every capability of this host: ALL added", ...dropped.map((name) => `${name} dropped as asked`)],
    };
  if (dropped.includes(EVERYTHING))
    return {
      capabilities: [...new Set(plus)],
      explain: ["none by default: ALL dropped", ...plus.map((name) => `${name} added as asked`)],
    };
  const defaults = DEFAULT_CAPABILITIES.filter((name) => request.available.includes(name));
  const missing = DEFAULT_CAPABILITIES.filter((name) => !request.available.includes(name));
  return {
    capabilities: [...new Set([...kept(defaults), ...plus])],
    explain: [
      "the default set",
      ...missing.map((name) => `${name} left out: not available on this host`),
      ...dropped.map((name) => `${name} dropped as asked`),
      ...plus.map((name) => `${name} added as asked`),
    ],
  };
}
