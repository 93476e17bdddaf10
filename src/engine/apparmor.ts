import {
  type AppArmorProfile,
  decideAppArmor,
  decideCapabilities,
  hardenedAppArmorProfile,
  parseSecurityOptions,
} from "../policy/mod.ts";
import type { ContainerSpec } from "./container.ts";
import type { HostFacts } from "./host-facts.ts";

/** The AppArmor profile that is made for a container; undefined: it runs under one that is there. */
export function appArmorProfileOf(
  { hostConfig, mounts, policy }: ContainerSpec,
  host: HostFacts,
): AppArmorProfile | undefined {
  if (!host.apparmor || policy?.profile !== "hardened") return undefined;
  const { capabilities } = decideCapabilities({
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    privileged: hostConfig.Privileged,
    available: host.capabilities,
  });
  const grants = policy.grants.map(({ grant }) => grant);
  return hardenedAppArmorProfile({ profile: policy.profile, grants, hostConfig, mounts, capabilities });
}

/** The name of the AppArmor profile a container's processes run under, on a host that has AppArmor. */
export function appArmorNameOf(spec: ContainerSpec, host: HostFacts): string {
  const { SecurityOpt, Privileged } = spec.hostConfig;
  return (
    appArmorProfileOf(spec, host)?.name ?? decideAppArmor(parseSecurityOptions(SecurityOpt ?? []).apparmor, Privileged)
  );
}
