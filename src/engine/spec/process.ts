import { decideCapabilities, type SecurityOptions } from "../../policy/mod.ts";
import type { RuntimeProcess, Ulimit } from "../../spec/mod.ts";
import { appArmorNameOf } from "../apparmor.ts";
import type { ContainerSpec } from "../container.ts";
import type { HostFacts } from "../host-facts.ts";
import { buildEnvironment } from "./environment.ts";
import type { SpecInput, Warn } from "./input.ts";
import { privatePid } from "./namespaces.ts";
import { resolveUser } from "./user.ts";

/** Where the init program stands in a container (Docker's place). */
export const INIT_IN_CONTAINER = "/sbin/docker-init";

/** Resource limits in the runtime's names. What this daemon may not hand on is the runtime's to lower. */
export function buildRlimits(ulimits: readonly Ulimit[] | null): NonNullable<RuntimeProcess["rlimits"]> {
  const unlimited = (value: number) => Math.max(value, -1);
  return (ulimits ?? []).map(({ Name, Soft, Hard }) => ({
    type: `RLIMIT_${Name.toUpperCase()}`,
    soft: unlimited(Soft),
    hard: unlimited(Hard),
  }));
}

/** Free of effect where the kernel has no AppArmor, with a warning when a profile was asked for. */
export function apparmor(
  spec: ContainerSpec,
  { apparmor: asked }: SecurityOptions,
  host: HostFacts,
  warn: Warn,
): Pick<RuntimeProcess, "apparmorProfile"> {
  if (host.apparmor) return { apparmorProfile: appArmorNameOf(spec, host) };
  if (asked !== "" && asked !== "unconfined") warn(`This kernel has no AppArmor: profile ${asked} is not applied`);
  return {};
}

function selinux(security: SecurityOptions, warn: Warn): void {
  if (security.labels.some((label) => label !== "disable"))
    warn("SELinux labels are not applied by this engine: label options are ignored");
}

/** Whether the container's process runs below an init program. */
export function wantsInit({ spec, initPath }: SpecInput): boolean {
  return spec.hostConfig.Init === true && initPath !== undefined && privatePid(spec.hostConfig);
}

export function buildProcess(input: SpecInput, security: SecurityOptions, warn: Warn): RuntimeProcess {
  const { spec, rootfs, host } = input;
  const { config, hostConfig } = spec;
  const { user, home } = resolveUser(rootfs, config.User, hostConfig.GroupAdd ?? []);
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const { capabilities } = decideCapabilities({
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    privileged: hostConfig.Privileged,
    available: host.capabilities,
  });
  const [height, width] = hostConfig.ConsoleSize;
  const rlimits = buildRlimits(hostConfig.Ulimits);
  selinux(security, warn);
  return {
    terminal: config.Tty,
    ...(config.Tty && (height > 0 || width > 0) ? { consoleSize: { height, width } } : {}),
    user,
    args: wantsInit(input) ? [INIT_IN_CONTAINER, "--", ...command] : command,
    env: buildEnvironment({
      hostname: config.Hostname,
      terminal: config.Tty,
      home,
      given: [...(input.linkedEnvironment ?? []), ...(config.Env ?? [])],
    }),
    cwd: config.WorkingDir || "/",
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    ...(rlimits.length > 0 ? { rlimits } : {}),
    ...(security.noNewPrivileges ? { noNewPrivileges: true } : {}),
    ...apparmor(spec, security, host, warn),
    oomScoreAdj: hostConfig.OomScoreAdj,
  };
}
