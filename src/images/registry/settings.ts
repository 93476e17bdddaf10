import { isIP } from "node:net";

/** What the operator says of registries. */
export interface RegistrySettings {
  /** Base URLs asked before Docker Hub, in order. */
  readonly mirrors: readonly string[];
  /** `host[:port]` or CIDR of registries that may be spoken to without TLS, or with a certificate nobody knows. */
  readonly insecure: readonly string[];
  /** Folders with a folder for each `host[:port]`: `*.crt` (CAs), `*.cert` with `*.key` (client certificates). */
  readonly certificateFolders: readonly string[];
}

export const defaultSettings: RegistrySettings = {
  mirrors: [],
  insecure: [],
  certificateFolders: ["/etc/havre/certs.d", "/etc/docker/certs.d"],
};

/** A place that answers for a registry's domain. */
export interface Endpoint {
  /** Without a trailing slash, scheme included. */
  readonly base: string;
  /** `host[:port]`. */
  readonly host: string;
  readonly insecure: boolean;
  readonly mirror: boolean;
}

const HUB = "registry-1.docker.io";

/** The domain that a server's address means, as people and configuration files write it: a URL, a host, or nothing for Docker Hub. */
export function registryDomain(server: string): string {
  const host = server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return ["", "index.docker.io", HUB, "docker.io", "hub.docker.com"].includes(host) ? "docker.io" : host;
}

/** Where to ask for what `domain` holds, in order. For insecure ones TLS is tried first, as Docker does. */
export function endpointsOf(domain: string, settings: RegistrySettings, forPush: boolean): readonly Endpoint[] {
  if (domain !== "docker.io") return secureAndPlain(domain, settings);
  const mirrors = forPush ? [] : settings.mirrors;
  return [
    ...mirrors.map((mirror) => {
      const url = new URL(mirror);
      const insecure = url.protocol === "http:" || isInsecure(url.host, settings);
      return { base: mirror.replace(/\/+$/, ""), host: url.host, insecure, mirror: true };
    }),
    { base: `https://${HUB}`, host: HUB, insecure: false, mirror: false },
  ];
}

function secureAndPlain(host: string, settings: RegistrySettings): readonly Endpoint[] {
  const insecure = isInsecure(host, settings);
  const tls = { base: `https://${host}`, host, insecure, mirror: false };
  return insecure ? [tls, { ...tls, base: `http://${host}` }] : [tls];
}

/** Loopback addresses always are, as in Docker. */
export function isInsecure(host: string, { insecure }: RegistrySettings): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  if (name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."))) return true;
  return insecure.some((rule) => rule === host || rule === name || inCidr(name, rule));
}

function inCidr(address: string, rule: string): boolean {
  const [network = "", length] = rule.split("/");
  if (length === undefined || isIP(address) !== 4 || isIP(network) !== 4) return false;
  const mask = Number(length) === 0 ? 0 : (-1 << (32 - Number(length))) >>> 0;
  return (number(address) & mask) >>> 0 === (number(network) & mask) >>> 0;
}

function number(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}
