import { HavreError, toHavreError } from "../base/mod.ts";
import { isAppArmorProfileLoaded, loadAppArmorProfile } from "../kernel/mod.ts";
import { DEFAULT_APPARMOR_PROFILE, defaultAppArmorProfile } from "../policy/mod.ts";

/**
 * Sees to it that the default profile is there for a process that is to run under it: loaded when first needed, and again
 * when somebody has unloaded it. `failed-precondition` in Docker's words when it cannot be.
 */
export async function ensureAppArmorProfile(name: string | undefined): Promise<void> {
  if (name !== DEFAULT_APPARMOR_PROFILE || isAppArmorProfileLoaded(name)) return;
  try {
    await loadAppArmorProfile(defaultAppArmorProfile());
  } catch (cause) {
    const { message, hint } = toHavreError(cause);
    throw new HavreError(
      "failed-precondition",
      `AppArmor enabled on system but the ${name} profile could not be loaded: ${message}`,
      { cause, ...(hint === undefined ? {} : { hint }) },
    );
  }
}
