import { decideCapabilities, type SecurityOptions } from "../../policy/mod.ts";
import type { RuntimeProcess, Ulimit } from "../../spec/mod.ts";
import type { HostFacts } from "../host-facts.ts";
import { buildEnvironment } from "./environment.ts";
import type { SpecInput, Warn } from "./input.ts";
import { privatePid } from "./namespaces.ts";
import { resolveUser } from "./user.ts";

/** Where the init program stands in a container (Docker's place). */
export const INIT_IN_CONTAINER = "/sbin/docker-init";

/** RLIM_INFINITY is 2^64-1, which a JavaScript number cannot hold: it is put into the JSON as its digits. */
const UNLIMITED = (JSON as unknown as { rawJSON(text: string): number }).rawJSON("18446744073709551615");

function mayRaise(host: HostFacts): boolean {
  return host.capabilities.includes("CAP_SYS_RESOURCE");
}

/** Resource limits; -1 is unlimited. Above what this daemon may give they are clamped, with a warning. */
export function buildRlimits(
  ulimits: readonly Ulimit[] | null,
  host: HostFacts,
  warn: Warn,
): NonNullable<RuntimeProcess["rlimits"]> {
  return (ulimits ?? []).map(({ Name, Soft, Hard }) => {
    const most = mayRaise(host) ? undefined : host.limits[Name]?.hard;
    const clamp = (value: number) => {
      if (most === undefined) return value;
      return value < 0 || value > most ? most : value;
    };
    const [soft, hard] = [clamp(Soft), clamp(Hard)];
    if (soft !== Soft || hard !== Hard)
      warn(`Ulimit ${Name}=${Soft}:${Hard} is above what this host lets the daemon give; ${soft}:${hard} is used`);
    const written = (value: number) => (value < 0 ? UNLIMITED : value);
    return { type: `RLIMIT_${Name.toUpperCase()}`, soft: written(soft), hard: written(hard) };
  });
}

function oomScore(wanted: number, host: HostFacts, warn: Warn): number {
  if (wanted >= host.oomScoreAdj || mayRaise(host)) return wanted;
  warn(`OOM score ${wanted} is below the daemon's own and cannot be given here; ${host.oomScoreAdj} is used`);
  return host.oomScoreAdj;
}

function apparmor(security: SecurityOptions, host: HostFacts, warn: Warn): Pick<RuntimeProcess, "apparmorProfile"> {
  if (security.apparmor === "") return {};
  if (host.apparmor) return { apparmorProfile: security.apparmor };
  if (security.apparmor !== "unconfined")
    warn(`This kernel has no AppArmor: profile ${security.apparmor} is not applied`);
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
  const rlimits = buildRlimits(hostConfig.Ulimits, host, warn);
  selinux(security, warn);
  return {
    terminal: config.Tty,
    ...(config.Tty && (height > 0 || width > 0) ? { consoleSize: { height, width } } : {}),
    user,
    args: wantsInit(input) ? [INIT_IN_CONTAINER, "--", ...command] : command,
    env: buildEnvironment({ hostname: config.Hostname, terminal: config.Tty, home, given: config.Env ?? [] }),
    cwd: config.WorkingDir || "/",
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    ...(rlimits.length > 0 ? { rlimits } : {}),
    ...(security.noNewPrivileges ? { noNewPrivileges: true } : {}),
    ...apparmor(security, host, warn),
    oomScoreAdj: oomScore(hostConfig.OomScoreAdj, host, warn),
  };
}
