import { contains, parseAddress, parseCidr } from "../../ip.ts";
import { type Action, type Chain, every, type Firewall, type Probe, type Rule } from "./chains.ts";

/** The filter table as `iptables -S` prints it (iptables(8)), of one family. What the family is not is left alone. */
export function iptablesFirewall(family: Probe["family"], lines: readonly string[]): Firewall {
  const policies = new Map<string, Chain["policy"]>();
  const rules = new Map<string, Rule[]>();
  for (const line of lines) {
    const [verb = "", name = "", ...words] = line.match(/"(?:\\.|[^"])*"|\S+/g) ?? [];
    if (verb === "-P") policies.set(name, words[0] === "ACCEPT" ? "accept" : "drop");
    if (verb === "-P" || verb === "-N") rules.set(name, []);
    if (verb === "-A") rules.get(name)?.push(parseRule(words));
  }
  const chains = [...rules].map(([name, own]): [string, Chain] => [
    name,
    { name, policy: policies.get(name) ?? "accept", rules: own },
  ]);
  return { family, chains: new Map(chains), bases: rules.has("INPUT") ? ["INPUT"] : [] };
}

type Match = (probe: Probe) => boolean | undefined;

function parseRule(words: readonly string[]): Rule {
  const matches: Match[] = [];
  const sources: string[] = [];
  let action: Action = { kind: "none" };
  for (let at = 0; at < words.length; at++) {
    const negated = words[at] === "!";
    if (negated) at++;
    const word = words[at] ?? "";
    const value = words[at + 1] ?? "";
    if (word === "-j" || word === "-g") action = actionOf(word, value);
    else if (word === "-s") sources.push(`${negated ? "not " : ""}${value}`);
    const match = matchOf(word, value);
    if (match) matches.push(negated ? (probe) => not(match(probe)) : match);
    if (word.startsWith("-") && !(words[at + 1] ?? "-").startsWith("-")) at++;
    // A target's own options are no conditions.
    if (word === "-j" || word === "-g") break;
  }
  return { matches: (probe) => every(matches.map((match) => match(probe))), action, sources };
}

function actionOf(word: string, target: string): Action {
  if (target === "ACCEPT") return { kind: "accept" };
  if (target === "DROP" || target === "REJECT") return { kind: "drop" };
  if (target === "RETURN") return { kind: "return" };
  if (/^[A-Z]+$/.test(target) && ["LOG", "NFLOG", "MARK", "CONNMARK", "AUDIT"].includes(target))
    return { kind: "none" };
  return { kind: word === "-g" ? "goto" : "jump", chain: target };
}

function matchOf(word: string, value: string): Match | undefined {
  switch (word) {
    case "-i":
      return ({ interfaceName }) =>
        value.endsWith("+") ? interfaceName.startsWith(value.slice(0, -1)) : interfaceName === value;
    case "-o":
      return () => false;
    case "-p":
      return ({ protocol }) => value === "all" || value === protocol;
    case "-d":
      return ({ address }) => isIn(address, value);
    case "--dport":
    case "--dports":
      return ({ port }) => value.split(",").some((one) => inRange(port, one, ":"));
    case "--ctstate":
    case "--state":
      return () => value.split(",").includes("NEW");
    case "--dst-type":
      return () => value === "LOCAL";
    // What they announce comes with options of its own; a name or comment decides nothing.
    case "-m":
      return ["addrtype", "comment", "conntrack", "multiport", "state", "tcp", "udp"].includes(value)
        ? undefined
        : () => undefined;
    case "--comment":
    case "-j":
    case "-g":
      return undefined;
    case "--tcp-flags":
    case "--syn":
      return () => undefined;
    default:
      return word.startsWith("-") ? () => undefined : undefined;
  }
}

function not(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

/** Whether an address is in `10.0.0.0/8`, or is `10.0.0.1`. */
export function isIn(address: string, network: string): boolean | undefined {
  const one = parseAddress(address);
  const subnet = parseCidr(network.includes("/") ? network : `${network}/${network.includes(":") ? 128 : 32}`)?.subnet;
  if (!one || !subnet) return undefined;
  return one.family === subnet.family && contains(subnet, one.address);
}

/** Whether a port is in `80`, or in `80:90` with this separator. */
export function inRange(port: number, range: string, separator: string): boolean {
  const [first = 0, last = first] = range.split(separator).map(Number);
  return port >= first && port <= last;
}
