import { decideCapabilities, parseSecurityOptions } from "../../policy/mod.ts";
import type { RuntimeProcess } from "../../spec/mod.ts";
import type { ContainerSpec } from "../container.ts";
import type { ExecConfig } from "../engine.ts";
import type { HostFacts } from "../host-facts.ts";
import { buildEnvironment } from "./environment.ts";
import { apparmor, buildRlimits } from "./process.ts";
import { resolveUser } from "./user.ts";

export interface ExecInput {
  readonly spec: ContainerSpec;
  readonly exec: ExecConfig;
  /** The running container's root, to look users up. */
  readonly rootfs: string;
  readonly host: HostFacts;
}

/** A further process of a running container: the container's own settings but for what the exec says. */
export function buildExecProcess({ spec, exec, rootfs, host }: ExecInput): RuntimeProcess {
  const { config, hostConfig } = spec;
  const { user, home } = resolveUser(rootfs, exec.User || config.User, hostConfig.GroupAdd ?? []);
  const { capabilities } = decideCapabilities({
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    privileged: hostConfig.Privileged || exec.Privileged,
    available: host.capabilities,
  });
  const [height, width] = exec.ConsoleSize ?? [0, 0];
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const rlimits = buildRlimits(hostConfig.Ulimits);
  return {
    terminal: exec.Tty,
    ...(exec.Tty && (height > 0 || width > 0) ? { consoleSize: { height, width } } : {}),
    user,
    args: exec.Cmd,
    env: buildEnvironment({
      hostname: config.Hostname,
      terminal: exec.Tty,
      home,
      given: [...(config.Env ?? []), ...exec.Env],
    }),
    cwd: exec.WorkingDir || config.WorkingDir || "/",
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    ...(rlimits.length > 0 ? { rlimits } : {}),
    ...(security.noNewPrivileges ? { noNewPrivileges: true } : {}),
    // A privileged exec stays in the container's profile (Docker's); what cannot be applied was said at the start.
    ...apparmor(spec, security, host, () => {}),
  };
}
