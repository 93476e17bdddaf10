import type { Container } from "../../../engine/mod.ts";

export interface PortView {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** A container's ports by `port/protocol`, as `NetworkSettings.Ports` has them: those of a container on a bridge while it runs. */
export function portMap({ spec, status }: Container): Readonly<Record<string, null>> {
  if (status.endpoints.length === 0) return {};
  return Object.fromEntries(Object.keys(spec.config.ExposedPorts ?? {}).map((port) => [port, null]));
}

/** A container's ports as `docker ps` lists them. */
export function portsOf(container: Container): readonly PortView[] {
  return Object.keys(portMap(container)).map((port) => {
    const [number = "", type = "tcp"] = port.split("/");
    return { PrivatePort: Number(number), Type: type };
  });
}
