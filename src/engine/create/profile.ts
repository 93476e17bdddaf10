import { HavreError } from "../../base/mod.ts";
import {
  applyProfile,
  covers,
  egressOverlaps,
  formatGrant,
  type Grant,
  type ImageNeeds,
  lowestPublished,
  openingFlags,
  type Profile,
  parseGrants,
  parseProfile,
} from "../../policy/mod.ts";
import type { ContainerCreateRequest } from "../../spec/mod.ts";
import type { Container, ContainerPolicy } from "../container.ts";

/** Labels by which the API, and so every client, asks for a profile and grants. An image's own are not looked at. */
export const PROFILE_LABEL = "havre.profile";
export const GRANTS_LABEL = "havre.grants";

/** What the operator decided for all containers of this daemon. */
export interface PolicySettings {
  /** Of containers that ask for none. */
  readonly usual: Profile;
  /** What none goes below. */
  readonly floor: Profile;
  /** What nobody is granted, by a word or by a flag. */
  readonly forbidden: readonly Grant[];
}

const FROM_LOW_TO_HIGH: readonly Profile[] = ["open", "docker", "hardened"];

export interface Policed {
  readonly request: ContainerCreateRequest;
  readonly policy?: ContainerPolicy;
  readonly warnings: readonly string[];
}

/**
 * A request as its profile leaves it. `permission-denied` for what the profile or the operator denies, `invalid-argument`
 * for a profile or grant that is none.
 */
export function underProfile(
  request: ContainerCreateRequest,
  image: () => ImageNeeds,
  { usual, floor, forbidden }: PolicySettings,
  cpus: number,
): Policed {
  const { config, hostConfig } = request;
  const asked = config.Labels[PROFILE_LABEL];
  const profile = asked === undefined || asked === "" ? usual : parseProfile(asked);
  if (FROM_LOW_TO_HIGH.indexOf(profile) < FROM_LOW_TO_HIGH.indexOf(floor))
    throw new HavreError("permission-denied", `The ${profile} profile is below what this engine allows, ${floor}`, {
      hint: "Ask for single grants instead: 'havre grants' lists them",
    });
  const words = parseGrants(config.Labels[GRANTS_LABEL] ?? "");
  const grants = [
    ...words.map((grant) => ({ grant, by: "grant" })),
    ...(profile === "hardened" && lowestPublished(hostConfig) !== undefined
      ? [{ grant: { name: "net-bind" as const, value: "" }, by: "--publish" }]
      : []),
    ...(hostConfig.CapAdd ?? []).map((value) => ({ grant: { name: "cap" as const, value }, by: "--cap-add" })),
  ];
  if (forbidden.length > 0)
    for (const { grant } of [...grants, ...openingFlags(hostConfig)]) refuseForbidden(grant, forbidden);
  if (profile === "docker")
    return {
      request,
      warnings: [],
      // Its words limit what it may reach, though nobody asked for a profile.
      ...(asked === undefined && !words.some(({ name }) => name === "egress") ? {} : { policy: { profile, grants } }),
    };
  const applied = applyProfile(profile, words, { config, hostConfig, image: image() }, { cpus });
  const { warnings, ...changed } = applied;
  const locksRoot = changed.hostConfig.ReadonlyRootfs && !hostConfig.ReadonlyRootfs;
  const policy = { profile, grants, ...(locksRoot ? { locksRoot } : {}) };
  return { request: { ...request, ...changed }, policy, warnings };
}

function refuseForbidden(grant: Grant, forbidden: readonly Grant[]): void {
  const met = forbidden.find((one) => one.name === grant.name && isForbidden(one, grant));
  if (met)
    throw new HavreError("permission-denied", `${formatGrant(grant)} is forbidden on this engine`, {
      hint: "Its operator has decided so for everybody (havre daemon --forbid-grant)",
    });
}

function isForbidden(one: Grant, grant: Grant): boolean {
  if (grant.name === "egress" && grant.value === "none") return false;
  if (one.value === "") return true;
  return grant.name === "egress" ? egressOverlaps(one.value, grant.value) : covers([one], grant);
}

/** `permission-denied` for a privileged process in a container that was not granted that. */
export function refusePrivilegedExec({ spec, name }: Pick<Container, "spec" | "name">): void {
  const { policy } = spec;
  const granted = policy?.grants.some(({ grant }) => grant.name === "privileged") ?? true;
  if (policy?.profile !== "hardened" || granted) return;
  throw new HavreError(
    "permission-denied",
    `A privileged process in ${name} is denied by the hardened profile: the container itself needs --grant privileged`,
  );
}
