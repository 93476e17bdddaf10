import { HavreError } from "../../base/mod.ts";
import type { StoredNetwork } from "../model.ts";

const PREFIX = "com.docker.network";
const DEFAULT_MTU = 1500;

/** A bridge network's driver options, parsed. */
export interface BridgeOptions {
  readonly name: string;
  readonly mtu: number;
  /** Containers reach each other. */
  readonly icc: boolean;
  readonly masquerade: boolean;
  /** Where ports are published that name no address of the host. */
  readonly hostBinding: string;
  /** Containers reach services of the host by the bridge's address. Ours, beyond Docker's. */
  readonly hostAccess: boolean;
}

/** The options of a network; `invalid-argument` for one that cannot be understood. */
export function bridgeOptions({ id, spec: { options } }: Pick<StoredNetwork, "id" | "spec">): BridgeOptions {
  return {
    name: checkBridgeName(options[`${PREFIX}.bridge.name`] || `br-${id.slice(0, 12)}`),
    mtu: number(options[`${PREFIX}.driver.mtu`], DEFAULT_MTU, "driver.mtu"),
    icc: flag(options, `${PREFIX}.bridge.enable_icc`, true),
    masquerade: flag(options, `${PREFIX}.bridge.enable_ip_masquerade`, true),
    hostBinding: options[`${PREFIX}.bridge.host_binding_ipv4`] || "0.0.0.0",
    hostAccess: flag(options, "havre.host_access", false),
  };
}

/** A bridge's name goes into rules and paths: letters, digits, dot, dash, underscore, at most 15 (Linux's limit). */
export function checkBridgeName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(name)) return name;
  throw new HavreError("invalid-argument", `Invalid bridge name ${JSON.stringify(name)}`, {
    hint: "Use at most 15 letters, digits, dots, dashes and underscores",
  });
}

/** As Go's strconv.ParseBool reads. */
function flag(options: Readonly<Record<string, string>>, key: string, otherwise: boolean): boolean {
  const text = options[key];
  if (text === undefined) return otherwise;
  if (/^(1|t|true|TRUE|True|T)$/.test(text)) return true;
  if (/^(0|f|false|FALSE|False|F)$/.test(text)) return false;
  throw new HavreError(
    "invalid-argument",
    `invalid value for ${key}: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

function number(text: string | undefined, otherwise: number, what: string): number {
  if (text === undefined || text === "" || text === "0") return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 68 && value <= 65_535) return value;
  throw new HavreError("invalid-argument", `invalid value for ${PREFIX}.${what}: ${JSON.stringify(text)}`);
}

/** The default bridge's options, as Docker describes them. */
export function defaultBridgeOptions(bridge: string): Readonly<Record<string, string>> {
  return {
    [`${PREFIX}.bridge.default_bridge`]: "true",
    [`${PREFIX}.bridge.enable_icc`]: "true",
    [`${PREFIX}.bridge.enable_ip_masquerade`]: "true",
    [`${PREFIX}.bridge.host_binding_ipv4`]: "0.0.0.0",
    [`${PREFIX}.bridge.name`]: bridge,
    [`${PREFIX}.driver.mtu`]: String(DEFAULT_MTU),
  };
}
