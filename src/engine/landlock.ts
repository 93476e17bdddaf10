import { decideLandlock, type LandlockDecision } from "../policy/mod.ts";
import { canConfine } from "../runtime/mod.ts";
import type { Container } from "./container.ts";
import { type EngineContext, runtimeName } from "./context.ts";

/** Runtimes that run a container's processes on the host's own kernel and find their root where the daemon does. */
const ON_THIS_KERNEL = new Set(["crun", "runc"]);

/** The Landlock rules of a container, and what they say. */
export function landlockOf(context: EngineContext, container: Container): LandlockDecision {
  const { config, hostConfig, mounts, policy } = container.spec;
  const { host } = context;
  return decideLandlock({
    profile: policy?.profile ?? "docker",
    grants: policy?.grants.map(({ grant }) => grant) ?? [],
    config,
    hostConfig,
    mounts,
    version: host.landlock,
    // SELinux's labels are not given yet, so that it confines nothing of a container's own.
    otherModule: host.apparmor,
    // Below a /dev of the host's the engine puts nothing.
    runtime:
      canConfine() &&
      ON_THIS_KERNEL.has(runtimeName(context, container)) &&
      !mounts.some(({ destination }) => destination === "/dev"),
  });
}
