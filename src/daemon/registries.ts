import { defaultRegistrySettings, type RegistrySettings } from "../images/mod.ts";
import type { DaemonOptions } from "./options.ts";

/** What the daemon's flags say of registries. */
export function registrySettings({ registryMirrors, insecureRegistries }: DaemonOptions): RegistrySettings {
  return { ...defaultRegistrySettings, mirrors: registryMirrors, insecure: insecureRegistries };
}
