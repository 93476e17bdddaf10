import { HavreError, type Logger, toHavreError } from "../base/mod.ts";
import { isAppArmorProfileLoaded, loadAppArmorProfile, unloadAppArmorProfile } from "../kernel/mod.ts";
import { type AppArmorProfile, DEFAULT_APPARMOR_PROFILE, defaultAppArmorProfile } from "../policy/mod.ts";
import type { ContainerRecords } from "./records.ts";

/**
 * Sees to it that the default profile, or the one made for a container, is there for a process that is to run under it: loaded when first needed, and again
 * when somebody has unloaded it. `failed-precondition` in Docker's words when it cannot be.
 */
export async function ensureAppArmorProfile(name: string | undefined, made?: AppArmorProfile): Promise<void> {
  const ours = name !== undefined && (name === DEFAULT_APPARMOR_PROFILE || name === made?.name);
  if (!ours || isAppArmorProfileLoaded(name)) return;
  try {
    await loadAppArmorProfile(name === made?.name ? made.text : defaultAppArmorProfile());
  } catch (cause) {
    const { message, hint } = toHavreError(cause);
    throw new HavreError(
      "failed-precondition",
      `AppArmor enabled on system but the ${name} profile could not be loaded: ${message}`,
      { cause, ...(hint === undefined ? {} : { hint }) },
    );
  }
}

/** Unloads a profile that was made for containers when none that is left has it. */
export async function unloadUnusedProfile(
  name: string | undefined,
  records: ContainerRecords,
  logger: Logger,
): Promise<void> {
  if (name === undefined || records.all().some(({ apparmor }) => apparmor === name)) return;
  try {
    unloadAppArmorProfile(name);
  } catch (error) {
    logger.warn("An AppArmor profile stays loaded", { name, error });
  }
}
