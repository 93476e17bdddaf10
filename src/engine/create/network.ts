import type { ContainerCreateRequest } from "../../spec/mod.ts";
import { joinedContainer } from "../spec/mod.ts";
import { refuse } from "./refuse.ts";

/** What cannot be asked together with a network mode. `invalid-argument` in Docker's words. */
export function checkNetworkMode({ config, hostConfig }: ContainerCreateRequest): void {
  const { NetworkMode, UTSMode, Links } = hostConfig;
  const joined = NetworkMode === "container" ? "" : joinedContainer(NetworkMode);
  if (joined === "") throw refuse("Invalid network mode: invalid container format container:<name|id>");
  if (joined !== undefined) {
    const conflicts: readonly (readonly [boolean, string])[] = [
      [config.Hostname !== "", "hostname and the network mode"],
      [
        (Links ?? []).length > 0,
        "container type network can't be used with links. This would result in undefined behavior",
      ],
      [(hostConfig.Dns ?? []).length > 0, "dns and the network mode"],
      [(hostConfig.ExtraHosts ?? []).length > 0, "custom host-to-IP mapping and the network mode"],
      [
        Object.keys(hostConfig.PortBindings).length > 0 || hostConfig.PublishAllPorts,
        "port publishing and the container type network mode",
      ],
      [Object.keys(config.ExposedPorts ?? {}).length > 0, "port exposing and the container type network mode"],
    ];
    for (const [present, what] of conflicts) if (present) throw refuse(`conflicting options: ${what}`);
  }
  if (UTSMode === "host" && config.Hostname !== "") throw refuse("conflicting options: hostname and the UTS mode");
  if (NetworkMode === "host" && (Links ?? []).length > 0)
    throw refuse(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
}
