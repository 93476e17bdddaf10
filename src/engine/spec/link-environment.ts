import type { ContainerConfig } from "../../spec/mod.ts";

interface Port {
  readonly number: number;
  readonly protocol: string;
}

/** Of the image's own making: no news of the linked container. */
const NOT_TOLD = new Set(["HOME", "PATH"]);

/**
 * What a container learns of one it links to, in variables named for the alias: address, ports, name, environment (Docker's
 * legacy links). `path`: `/container/alias`.
 */
export function linkEnvironment(
  path: string,
  address: string,
  { ExposedPorts, Env }: Pick<ContainerConfig, "ExposedPorts" | "Env">,
): readonly string[] {
  const alias = (path.split("/").at(-1) ?? "").toUpperCase().replaceAll("-", "_");
  const ports = Object.keys(ExposedPorts ?? {})
    .map(parsePort)
    .sort((a, b) => a.number - b.number || (a.protocol === "tcp" ? -1 : 1));
  const [first] = ports;
  const url = ({ number, protocol }: Port) => `${protocol}://${address}:${number}`;
  return [
    ...(first ? [`${alias}_PORT=${url(first)}`] : []),
    ...ports.flatMap((port) => {
      const prefix = `${alias}_PORT_${port.number}_${port.protocol.toUpperCase()}`;
      return [
        `${prefix}=${url(port)}`,
        `${prefix}_ADDR=${address}`,
        `${prefix}_PORT=${port.number}`,
        `${prefix}_PROTO=${port.protocol}`,
      ];
    }),
    `${alias}_NAME=${path}`,
    ...(Env ?? []).flatMap((entry) => {
      const at = entry.indexOf("=");
      return at < 0 || NOT_TOLD.has(entry.slice(0, at)) ? [] : [`${alias}_ENV_${entry}`];
    }),
  ];
}

function parsePort(text: string): Port {
  const [number = "", protocol = "tcp"] = text.split("/");
  return { number: Number(number), protocol };
}
