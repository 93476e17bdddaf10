import { createHash } from "node:crypto";
import type { HostConfig } from "../spec/mod.ts";
import { SIGNAL_SENDERS } from "./apparmor.ts";
import type { Grant, GrantName } from "./profiles/grants.ts";
import type { Profile } from "./profiles/profiles.ts";
import { parseSecurityOptions } from "./security-options.ts";
import { writablePaths } from "./writable-paths.ts";

/** An AppArmor profile made for containers: its name and its text (apparmor.d(5)). */
export interface AppArmorProfile {
  readonly name: string;
  readonly text: string;
}

export interface AppArmorGround {
  readonly profile: Profile;
  readonly grants: readonly Grant[];
  readonly hostConfig: HostConfig;
  readonly mounts: readonly { readonly destination: string; readonly writable: boolean }[];
  /** What it will have, as `CAP_NAME`. */
  readonly capabilities: readonly string[];
}

const PREFIX = "havre-hardened-";

/** Whether a profile is one of those made here. */
export function isHardenedAppArmorProfile(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * The profile of a hardened container: what Landlock rules say where there is no AppArmor, and capabilities besides. Its name
 * is made of its text, so that containers with the same grants share one. undefined: the default profile, or the one asked for.
 */
export function hardenedAppArmorProfile(ground: AppArmorGround): AppArmorProfile | undefined {
  const { profile, grants, hostConfig } = ground;
  const has = (name: GrantName): boolean => grants.some((grant) => grant.name === name);
  const { apparmor } = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  if (profile !== "hardened" || apparmor !== "" || hostConfig.Privileged || has("privileged") || has("any-path"))
    return undefined;
  const rules = rulesOf(ground);
  const name = `${PREFIX}${createHash("sha256").update(rules).digest("hex").slice(0, 12)}`;
  const own = [
    ...SIGNAL_SENDERS.map((sender) => `  signal (receive) peer=${sender},`),
    `  signal (send,receive) peer=${name},`,
    `  ptrace (trace,read,tracedby,readby) peer=${name},`,
  ].join("\n");
  return { name, text: `profile ${name} flags=(attach_disconnected,mediate_deleted) {\n${own}\n${rules}\n}\n` };
}

/** Reads, runs (in this same profile) and maps everything; writes only what follows. Mounts are not named: none may be made. */
function rulesOf({ hostConfig, mounts, capabilities }: AppArmorGround): string {
  return [
    "network,",
    ...capabilities.map((name) => `capability ${name.replace(/^CAP_/, "").toLowerCase()},`),
    "/ r,",
    "/** mrixk,",
    ...[...writablePaths(hostConfig, mounts)]
      .sort()
      .flatMap((path) => [`"${escaped(path)}" rw,`, `"${escaped(path === "/" ? "" : path)}/**" mrwlixk,`]),
    "/dev/{null,zero,full,random,urandom,tty,console,ptmx,log} rw,",
    "/dev/pts/** rw,",
    ...(hostConfig.Devices ?? []).map(
      ({ PathOnHost, PathInContainer }) => `"${escaped(PathInContainer || PathOnHost)}{,/**}" rw,`,
    ),
    "deny /proc/** wl,",
    "deny /sys/** wl,",
  ]
    .map((rule) => `  ${rule}`)
    .join("\n");
}

/** A path as itself, without meaning. */
function escaped(path: string): string {
  return path.replace(/[\\"*?[\]{}^@]/g, "\\$&");
}
