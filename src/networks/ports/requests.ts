import { HavreError } from "../../base/mod.ts";
import type { PortProtocol } from "../../kernel/mod.ts";
import type { PortBinding } from "../../spec/mod.ts";
import type { PortRequest } from "./model.ts";

/** What a container says of its ports (`HostConfig`, `Config`). */
export interface PortSettings {
  /** By `port/protocol`. */
  readonly bindings: Readonly<Record<string, readonly PortBinding[] | null>>;
  /** `port/protocol` or `first-last/protocol`. */
  readonly exposed: readonly string[];
  /** Publish what is exposed. */
  readonly publishAll: boolean;
  /** The firewall of the host has no say for these container ports (`80/tcp`), or for `all`. */
  readonly open: readonly string[];
}

/**
 * What is to be published, in the order in which host ports are given: those that ask for certain ones first, so that no
 * random choice takes theirs. `invalid-argument` for what is no port.
 */
export function portRequests(settings: PortSettings): readonly PortRequest[] {
  const open = (key: string) => settings.open.includes("all") || settings.open.some((one) => normal(one) === key);
  const bound = Object.entries(settings.bindings).flatMap(([key, places]) =>
    (places ?? []).map(({ HostIp, HostPort }) => request(normal(key), HostIp, HostPort, open(normal(key)))),
  );
  const unbound = settings.publishAll
    ? settings.exposed.flatMap(eachPort).filter((key) => !(settings.bindings[key]?.length ?? 0))
    : [];
  const random = unbound.map((key) => request(key, "", "", open(key)));
  const [given, free] = [bound.filter((one) => one.hostPorts), [...bound.filter((one) => !one.hostPorts), ...random]];
  return [...given.sort(byContainerPort), ...free.sort(byContainerPort)];
}

/** `80` is `80/tcp`. */
function normal(key: string): string {
  const [port = "", protocol = ""] = key.split("/");
  return `${port}/${(protocol || "tcp").toLowerCase()}`;
}

/** The ports of `8000-8002/tcp`, one by one. */
function eachPort(text: string): string[] {
  const [range = "", protocol] = normal(text).split("/");
  const [first = 0, last = first] = range.split("-").map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

function request(key: string, hostAddress: string, hostPort: string, open: boolean): PortRequest {
  const [port = "", protocol = ""] = key.split("/");
  const containerPort = Number(port);
  if (!isProtocol(protocol)) throw new HavreError("invalid-argument", `invalid proto: ${protocol}`);
  if (!/^\d+$/.test(port) || containerPort < 1 || containerPort > 65535) {
    throw new HavreError("invalid-argument", `invalid port specification: ${JSON.stringify(port)}`);
  }
  const [first = 0, last = first] = (hostPort.split("/")[0] ?? "").split("-").map(Number);
  const hostPorts = first === 0 && last === 0 ? undefined : ([first, last] as const);
  return { protocol, containerPort, hostAddress, hostPorts, open };
}

function isProtocol(text: string): text is PortProtocol {
  return text === "tcp" || text === "udp" || text === "sctp";
}

function byContainerPort(a: PortRequest, b: PortRequest): number {
  return a.containerPort - b.containerPort || (a.protocol < b.protocol ? -1 : a.protocol > b.protocol ? 1 : 0);
}
