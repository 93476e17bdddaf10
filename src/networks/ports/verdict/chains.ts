/** A packet that would open a connection, as a firewall sees it coming in; where it comes from is open. */
export interface Probe {
  readonly family: "ip" | "ip6";
  readonly protocol: string;
  readonly interfaceName: string;
  readonly address: string;
  readonly port: number;
}

export type Action =
  | { readonly kind: "accept" | "drop" | "return" | "none" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

/**
 * One rule. `matches`: undefined when that depends on who asks, or is not known to us.
 * `sources`: whom it is about, where it names source addresses.
 */
export interface Rule {
  matches(probe: Probe): boolean | undefined;
  readonly action: Action | ((probe: Probe) => Action | undefined);
  readonly sources: readonly string[];
}

export interface Chain {
  readonly name: string;
  readonly policy: "accept" | "drop";
  readonly rules: readonly Rule[];
}

/** Chains by name, and those that the kernel asks about what comes in. */
export interface Firewall {
  /** The only one it is asked about; the policy of its chains is not for the other. */
  readonly family?: Probe["family"];
  readonly chains: ReadonlyMap<string, Chain>;
  readonly bases: readonly string[];
}

/** What a firewall does with a probe. `sources`: who may be let in, as far as rules name them. */
export interface Verdict {
  readonly kind: "allowed" | "denied" | "depends";
  readonly sources: readonly string[];
}

type Outcome = "accept" | "drop" | "return";
const DEEPEST = 32;

/** All base chains must let a packet in. */
export function judge(firewalls: readonly Firewall[], probe: Probe): Verdict {
  const sources = new Set<string>();
  const asked = firewalls.filter(({ family }) => family === undefined || family === probe.family);
  const all = asked.flatMap((firewall) =>
    firewall.bases.map((name) => {
      const chain = firewall.chains.get(name);
      const outcomes = chain ? walk(firewall, chain, probe, 0, sources) : new Set<Outcome>(["return"]);
      return new Set([...outcomes].map((one) => (one === "return" ? (chain?.policy ?? "accept") : one)));
    }),
  );
  if (all.some((outcomes) => !outcomes.has("accept"))) return { kind: "denied", sources: [] };
  if (all.every((outcomes) => !outcomes.has("drop"))) return { kind: "allowed", sources: [] };
  return { kind: "depends", sources: [...sources] };
}

/** Every way in which the chain may end for the probe; `return`: it does not decide. */
function walk(firewall: Firewall, chain: Chain, probe: Probe, depth: number, sources: Set<string>): Set<Outcome> {
  const found = new Set<Outcome>();
  for (const rule of chain.rules) {
    const matches = rule.matches(probe);
    if (matches === false) continue;
    const action = typeof rule.action === "function" ? rule.action(probe) : rule.action;
    const outcomes = action === undefined ? unknown() : outcomesOf(firewall, action, probe, depth, sources);
    if (matches === undefined && outcomes.has("accept")) for (const one of rule.sources) sources.add(one);
    for (const one of outcomes) if (one !== "return") found.add(one);
    const leaves = action?.kind === "goto" || action?.kind === "return";
    if (leaves && outcomes.has("return")) found.add("return");
    // Sure to be decided here: nothing below is reached.
    if (matches === true && (leaves || !outcomes.has("return"))) return found;
  }
  return found.add("return");
}

function outcomesOf(
  firewall: Firewall,
  action: Action,
  probe: Probe,
  depth: number,
  sources: Set<string>,
): Set<Outcome> {
  if (action.kind === "accept" || action.kind === "drop") return new Set([action.kind]);
  if (action.kind === "none" || action.kind === "return") return new Set(["return"]);
  const chain = "chain" in action ? firewall.chains.get(action.chain) : undefined;
  return chain && depth < DEEPEST ? walk(firewall, chain, probe, depth + 1, sources) : unknown();
}

function unknown(): Set<Outcome> {
  return new Set(["accept", "drop", "return"]);
}

/** All must hold; one that surely does not decides. */
export function every(parts: readonly (boolean | undefined)[]): boolean | undefined {
  if (parts.includes(false)) return false;
  return parts.includes(undefined) ? undefined : true;
}
