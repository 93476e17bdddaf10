import { BlockList, isIP } from "node:net";
import { HavreError } from "../../base/mod.ts";
import type { Profile } from "./profiles.ts";

/** One destination that a container may reach: a name, `*.` and a name for all below it, an address, a CIDR. */
export interface EgressRule {
  /** In lower case, an address in its shortest form. */
  readonly host: string;
  /** Absent: everything there, every port and protocol. */
  readonly port?: number;
  readonly protocol?: "tcp" | "udp";
}

/** What a container may reach outside its own networks. */
export interface Egress {
  /** Everything; the rules then name what stays shut to all others: a cloud's metadata address. */
  readonly any: boolean;
  readonly rules: readonly EgressRule[];
}

const NONE = "none";
const ANY = "any";
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const LONGEST_NAME = 253;

/**
 * Reads what stands after `egress:`: `none`, `any`, or `HOST[:PORT[/tcp|udp]]`, a host of IPv6 with a port in brackets. TCP
 * where no protocol is named. `invalid-argument` says what is wrong.
 */
export function parseEgress(text: string): typeof NONE | typeof ANY | EgressRule {
  const lower = text.toLowerCase();
  if (lower === NONE || lower === ANY) return lower;
  const [host, rest] = splitHost(lower);
  const rule = { host: hostOf(host, text) };
  if (rest === undefined) return rule;
  const [, digits = "", protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(rest) ?? [];
  const port = Number(digits);
  if (port < 1 || port > 65535) throw refused(text, "After the colon stands a port, PORT or PORT/udp");
  return { ...rule, port, protocol: protocol as "tcp" | "udp" };
}

/** As it is written after `egress:`. */
export function formatEgress({ host, port, protocol }: EgressRule): string {
  if (port === undefined) return host;
  return `${host.includes(":") ? `[${host}]` : host}:${port}${protocol === "udp" ? "/udp" : ""}`;
}

/** The same in one way of writing, for comparing. */
export function canonicalEgress(text: string): string {
  const parsed = parseEgress(text);
  return typeof parsed === "string" ? parsed : formatEgress(parsed);
}

/**
 * What a container may reach: what its words say, in any profile; without words nothing under `hardened`, else everything.
 * undefined: everything, and nothing more to say.
 * @param values what stands after `egress:` in its grants.
 */
export function egressOf(profile: Profile, values: readonly string[]): Egress | undefined {
  const words = values.map(parseEgress);
  const rules = words.filter((word) => typeof word !== "string");
  const any = words.includes(ANY) || (words.length === 0 && profile !== "hardened");
  return any && rules.length === 0 ? undefined : { any, rules };
}

/** Whether what is forbidden and what is asked for have anything in common; `none` has nothing. */
export function egressOverlaps(forbidden: string, asked: string): boolean {
  const [one, other] = [parseEgress(forbidden), parseEgress(asked)];
  if (one === NONE || other === NONE) return false;
  if (one === ANY || other === ANY) return other === ANY;
  if (one.port !== undefined && other.port !== undefined)
    if (one.port !== other.port || one.protocol !== other.protocol) return false;
  return covered(one.host, other.host) || covered(other.host, one.host);
}

/** True when all that `host` stands for is within `wider`. */
function covered(wider: string, host: string): boolean {
  const [outer, inner] = [networkOf(wider), networkOf(host)];
  if (!outer || !inner) return !outer && !inner && (wider === host || matchesName(wider, host.replace(/^\*\./, "x.")));
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  const list = new BlockList();
  list.addSubnet(outer.address, outer.length, outer.family);
  return list.check(inner.address, outer.family);
}

/** Whether a name (lower case) is meant by a host of a rule. */
export function matchesName(host: string, name: string): boolean {
  return host.startsWith("*.") ? name.endsWith(host.slice(1)) : host === name;
}

function networkOf(host: string) {
  const [address = "", length] = host.split("/");
  const version = isIP(address);
  if (version === 0) return undefined;
  const family = version === 4 ? ("ipv4" as const) : ("ipv6" as const);
  return { address, family, length: length === undefined ? (version === 4 ? 32 : 128) : Number(length) };
}

function splitHost(text: string): readonly [host: string, rest: string | undefined] {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) return [bracketed[1] ?? "", bracketed[2]];
  const colon = text.indexOf(":");
  // More than one: an address of IPv6 alone.
  if (colon < 0 || colon !== text.lastIndexOf(":")) return [text, undefined];
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function hostOf(host: string, text: string): string {
  const [address = "", length, ...more] = host.split("/");
  const version = isIP(address);
  if (version > 0) {
    if (address.includes("%")) throw refused(text, "An address has no zone here");
    const most = version === 4 ? 32 : 128;
    const valid = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= most);
    if (!valid || more.length > 0) throw refused(text, `A network's length is a number up to ${most}`);
    const short = version === 6 ? shortIpv6(address) : address;
    return length === undefined || Number(length) === most ? short : `${short}/${Number(length)}`;
  }
  const name = host.replace(/\.$/, "");
  const labels = name.replace(/^\*\./, "").split(".");
  const isNumeric = labels.every((label) => /^\d+$/.test(label));
  if (name.length > LONGEST_NAME || isNumeric || !labels.every((label) => LABEL.test(label)))
    throw refused(text, "HOST is a name (example.org, *.example.org), an address or a CIDR; or say none or any");
  return name;
}

function shortIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function refused(text: string, hint: string): HavreError {
  return new HavreError("invalid-argument", `Invalid grant ${JSON.stringify(`egress:${text}`)}`, { hint });
}
