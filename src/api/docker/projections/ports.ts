import type { Container } from "../../../engine/mod.ts";
import type { PortBinding } from "../../../spec/mod.ts";

export interface PortView {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** A container's ports by `port/protocol`, as `NetworkSettings.Ports` has them: those of a container that runs on a network with a way out. */
export function portMap({ spec, status }: Container): Readonly<Record<string, readonly PortBinding[] | null>> {
  if (!status.endpoints.some(({ gateway, ipv6Gateway }) => gateway !== "" || ipv6Gateway !== "")) return {};
  const exposed = Object.keys(spec.config.ExposedPorts ?? {}).map((port) => [port, null] as const);
  const map: Record<string, PortBinding[] | null> = Object.fromEntries(exposed);
  for (const { protocol, containerPort, hostAddress, hostPort } of status.ports ?? []) {
    const key = `${containerPort}/${protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: hostAddress, HostPort: String(hostPort) }];
  }
  return map;
}

/** A container's ports as `docker ps` lists them. */
export function portsOf(container: Container): readonly PortView[] {
  return Object.entries(portMap(container)).flatMap(([port, bindings]) => {
    const [number = "", type = "tcp"] = port.split("/");
    const inside = { PrivatePort: Number(number), Type: type };
    if (!bindings) return [inside];
    return bindings.map(({ HostIp, HostPort }) => ({
      IP: HostIp,
      PrivatePort: inside.PrivatePort,
      PublicPort: Number(HostPort),
      Type: type,
    }));
  });
}
