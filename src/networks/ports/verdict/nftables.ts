import { type Action, type Chain, every, type Firewall, type Probe, type Rule } from "./chains.ts";
import { isIn } from "./iptables.ts";

/** What `nft -j list ruleset` prints (libnftables-json(5)), as far as it is looked at. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Fields = { readonly [key: string]: Json };

const isFields = (value: Json | undefined): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

/** All tables that judge what comes in, but those that `skip` names (`ip filter`). */
export function nftablesFirewalls(
  ruleset: unknown,
  skip: (family: string, table: string) => boolean,
): readonly Firewall[] {
  const list = isFields(ruleset as Json) ? (ruleset as Fields).nftables : undefined;
  const objects = Array.isArray(list) ? (list as readonly Json[]).filter(isFields) : [];
  const tables = new Map<
    string,
    { chains: Map<string, { chain: Fields; rules: Fields[] }>; sets: Map<string, Json> }
  >();
  const tableOf = ({ family, table }: Fields) => {
    const key = `${textOf(family)} ${textOf(table)}`;
    const known = tables.get(key) ?? { chains: new Map(), sets: new Map() };
    tables.set(key, known);
    return known;
  };
  for (const { chain, rule, set, map } of objects) {
    if (isFields(chain)) tableOf(chain).chains.set(textOf(chain.name), { chain, rules: [] });
    if (isFields(rule)) tableOf(rule).chains.get(textOf(rule.chain))?.rules.push(rule);
    for (const one of [set, map]) if (isFields(one)) tableOf(one).sets.set(textOf(one.name), one.elem ?? []);
  }
  return [...tables].flatMap(([key, { chains, sets }]) => {
    const [family = "", table = ""] = key.split(" ");
    const bases = [...chains].filter(([, { chain }]) => chain.hook === "input" && chain.type === "filter");
    if (bases.length === 0 || skip(family, table)) return [];
    const parsed = [...chains].map(([name, { chain, rules }]): [string, Chain] => [
      name,
      {
        name,
        policy: chain.policy === "drop" ? "drop" : "accept",
        rules: rules.map((rule) => parseRule(rule, sets)),
      },
    ]);
    const only: Pick<Firewall, "family"> = family === "ip" || family === "ip6" ? { family } : {};
    return [{ ...only, chains: new Map(parsed), bases: bases.map(([name]) => name) }];
  });
}

type Sets = ReadonlyMap<string, Json>;
const NO_CONDITION = new Set(["counter", "log", "mangle", "meter", "notrack", "comment"]);

function parseRule(rule: Fields, sets: Sets): Rule {
  const statements = Array.isArray(rule.expr) ? (rule.expr as readonly Json[]).filter(isFields) : [];
  const conditions: ((probe: Probe) => boolean | undefined)[] = [];
  const sources: string[] = [];
  let action: Rule["action"] = { kind: "none" };
  for (const statement of statements) {
    const [[kind, value] = ["", null]] = Object.entries(statement);
    if (kind === "match" && isFields(value)) {
      conditions.push((probe) => matches(value, probe, sets));
      if (isSource(value.left)) sources.push(...named(value.right, sets));
    } else if (kind === "vmap" && isFields(value)) action = (probe) => lookUp(value, probe, sets);
    else if (!NO_CONDITION.has(kind)) {
      const verdict = verdictOf(statement);
      if (verdict) action = verdict;
      else conditions.push(() => undefined);
    }
  }
  return { matches: (probe) => every(conditions.map((one) => one(probe))), action, sources };
}

function verdictOf(statement: Json | undefined): Action | undefined {
  if (!isFields(statement)) return undefined;
  const [[kind, value] = ["", null]] = Object.entries(statement);
  if (kind === "accept" || kind === "drop" || kind === "return") return { kind };
  if (kind === "reject") return { kind: "drop" };
  if (kind === "continue") return { kind: "none" };
  if ((kind === "jump" || kind === "goto") && isFields(value)) return { kind, chain: textOf(value.target) };
  return undefined;
}

/** undefined: not known; `none`: no entry fits. */
function lookUp({ key, data }: Fields, probe: Probe, sets: Sets): Action | undefined {
  const known = factOf(key, probe);
  if (known === undefined) return undefined;
  for (const entry of elementsOf(data, sets)) {
    if (!Array.isArray(entry)) return undefined;
    const [one, verdict] = entry as readonly Json[];
    if (fits(known, one, sets)) return verdictOf(verdict) ?? undefined;
  }
  return { kind: "none" };
}

function matches({ op, left, right }: Fields, probe: Probe, sets: Sets): boolean | undefined {
  const known = factOf(left, probe);
  if (known === undefined || !["==", "!=", "in"].includes(textOf(op))) return undefined;
  const fit = fits(known, right, sets);
  return op === "!=" && fit !== undefined ? !fit : fit;
}

type Fact = string | number;

/** What is known of the probe; the state of a connection that is to be opened is new. */
function factOf(left: Json | undefined, probe: Probe): Fact | undefined {
  if (!isFields(left)) return undefined;
  const { meta, payload, ct, fib } = left;
  if (isFields(meta)) {
    const facts: Readonly<Record<string, Fact>> = {
      iifname: probe.interfaceName,
      iif: probe.interfaceName,
      l4proto: probe.protocol,
      nfproto: probe.family === "ip" ? "ipv4" : "ipv6",
    };
    return facts[textOf(meta.key)];
  }
  if (isFields(ct)) return ct.key === "state" ? "new" : ct.key === "status" ? "unreplied" : undefined;
  if (isFields(fib)) return fib.result === "type" ? "local" : undefined;
  if (!isFields(payload)) return undefined;
  if (payload.field === "dport") return [probe.protocol, "th"].includes(textOf(payload.protocol)) ? probe.port : -1;
  if (payload.field === "protocol" || payload.field === "nexthdr") return probe.protocol;
  if (payload.field === "daddr") return payload.protocol === probe.family ? probe.address : "";
  // A field of another protocol is not in this packet.
  return ["icmp", "icmpv6", "arp"].includes(textOf(payload.protocol)) ? "" : undefined;
}

function isSource(left: Json | undefined): boolean {
  return isFields(left) && isFields(left.payload) && left.payload.field === "saddr";
}

function fits(known: Fact, right: Json | undefined, sets: Sets): boolean | undefined {
  if (typeof right === "number" || typeof right === "boolean") return known === right;
  if (typeof right === "string" && !right.startsWith("@")) return known === right || isNamed(known, right);
  if (isFields(right) && isFields(right.prefix)) {
    return isIn(String(known), `${textOf(right.prefix.addr)}/${right.prefix.len}`);
  }
  if (isFields(right) && Array.isArray(right.range)) {
    const [first, last] = right.range as readonly Json[];
    return typeof known === "number" && typeof first === "number" && typeof last === "number"
      ? known >= first && known <= last
      : undefined;
  }
  if (isFields(right) && isFields(right.elem)) return fits(known, right.elem.val, sets);
  const found = elementsOf(right, sets).map((one) => fits(known, Array.isArray(one) ? one[0] : one, sets));
  if (found.includes(true)) return true;
  return found.includes(undefined) ? undefined : false;
}

/** `eth*`. */
function isNamed(known: Fact, pattern: string): boolean {
  return pattern.endsWith("*") && String(known).startsWith(pattern.slice(0, -1));
}

function elementsOf(value: Json | undefined, sets: Sets): readonly Json[] {
  if (typeof value === "string" && value.startsWith("@")) return elementsOf(sets.get(value.slice(1)) ?? [], sets);
  if (Array.isArray(value)) return value as readonly Json[];
  if (isFields(value) && Array.isArray(value.set)) return value.set as readonly Json[];
  return value === undefined ? [] : [value];
}

/** Source addresses as people read them. */
function named(right: Json | undefined, sets: Sets): readonly string[] {
  if (typeof right === "string" && !right.startsWith("@")) return [right];
  if (isFields(right) && isFields(right.prefix)) return [`${textOf(right.prefix.addr)}/${right.prefix.len}`];
  if (isFields(right) && Array.isArray(right.range)) return [(right.range as readonly Json[]).map(String).join("-")];
  if (isFields(right) && isFields(right.elem)) return named(right.elem.val, sets);
  return elementsOf(right, sets).flatMap((one) => (one === right ? [] : named(one, sets)));
}
