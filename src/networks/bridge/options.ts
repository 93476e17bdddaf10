import { isIP } from "node:net";
import { HavreError } from "../../base/mod.ts";
import type { StoredNetwork } from "../model.ts";

const PREFIX = "com.docker.network";
const DEFAULT_MTU = 1500;
const HOST_ACCESS = "havre.host_access";

/** A bridge network's driver options, parsed. */
export interface BridgeOptions {
  readonly name: string;
  readonly mtu: number;
  /** Of the interfaces' names inside containers. */
  readonly interfacePrefix: string;
  /** Containers reach each other. */
  readonly icc: boolean;
  readonly masquerade: boolean;
  /** Where ports are published that name no address of the host. */
  readonly hostBinding: string;
  /** Containers reach services of the host by the bridge's address. Ours. */
  readonly hostAccess: boolean;
  /** Containers reach link-local addresses beyond the host, such as a cloud's metadata service (169.254.169.254). Ours. */
  readonly linkLocalAccess: boolean;
}

/** The options of a network; `invalid-argument` with Docker's texts for one that cannot be understood. */
export function bridgeOptions({ id, spec: { options } }: Pick<StoredNetwork, "id" | "spec">): BridgeOptions {
  const binding = options[`${PREFIX}.bridge.host_binding_ipv4`] || "0.0.0.0";
  if (!isIP(binding)) throw unparsed(`${PREFIX}.bridge.host_binding_ipv4`, binding, "nil ip");
  return {
    name: checkBridgeName(options[`${PREFIX}.bridge.name`] || `br-${id.slice(0, 12)}`),
    mtu: mtu(options, `${PREFIX}.driver.mtu`),
    interfacePrefix: interfacePrefix(options, `${PREFIX}.container_iface_prefix`),
    icc: flag(options, `${PREFIX}.bridge.enable_icc`, true),
    masquerade: flag(options, `${PREFIX}.bridge.enable_ip_masquerade`, true),
    hostBinding: binding,
    hostAccess: flag(options, HOST_ACCESS, false),
    linkLocalAccess: flag(options, "havre.link_local_access", false),
  };
}

/** A bridge's name goes into rules and paths: letters, digits, dot, dash, underscore, at most 15 (Linux's limit). */
export function checkBridgeName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(name)) return name;
  throw new HavreError("invalid-argument", `Invalid bridge name ${JSON.stringify(name)}`, {
    hint: "Use at most 15 letters, digits, dots, dashes and underscores",
  });
}

/** A number comes behind it, and Linux takes 15 characters. */
function interfacePrefix(options: Readonly<Record<string, string>>, key: string): string {
  const text = options[key] || "eth";
  if (/^[A-Za-z][A-Za-z0-9_.-]{0,11}$/.test(text)) return text;
  throw new HavreError("invalid-argument", `Invalid prefix of interfaces ${JSON.stringify(text)}`, {
    hint: "Use at most 12 letters, digits, dots, dashes and underscores, a letter first",
  });
}

/** As Go's strconv.ParseBool reads. */
function flag(options: Readonly<Record<string, string>>, key: string, otherwise: boolean): boolean {
  const text = options[key];
  if (text === undefined) return otherwise;
  if (/^(1|t|true|TRUE|True|T)$/.test(text)) return true;
  if (/^(0|f|false|FALSE|False|F)$/.test(text)) return false;
  throw unparsed(key, text, `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function mtu(options: Readonly<Record<string, string>>, key: string): number {
  const text = options[key] ?? "0";
  if (!/^[+-]?\d+$/.test(text))
    throw unparsed(key, text, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (value === 0) return DEFAULT_MTU;
  // RFC 791: 68 is the least that carries IPv4 (the kernel's limit too).
  if (value < 68 || value > 65_535) throw new HavreError("invalid-argument", `invalid MTU number: ${value}`);
  return value;
}

function unparsed(key: string, text: string, why: string): HavreError {
  return new HavreError("invalid-argument", `failed to parse ${key} value: ${text} (${why})`);
}

/** The default bridge's options, as Docker describes them. */
export function defaultBridgeOptions(bridge: string, hostAccess: boolean): Readonly<Record<string, string>> {
  return {
    [`${PREFIX}.bridge.default_bridge`]: "true",
    [`${PREFIX}.bridge.enable_icc`]: "true",
    [`${PREFIX}.bridge.enable_ip_masquerade`]: "true",
    [`${PREFIX}.bridge.host_binding_ipv4`]: "0.0.0.0",
    [`${PREFIX}.bridge.name`]: bridge,
    [`${PREFIX}.driver.mtu`]: String(DEFAULT_MTU),
    ...(hostAccess ? { [HOST_ACCESS]: "true" } : {}),
  };
}
