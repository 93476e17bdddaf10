import { formatGrant } from "./profiles/grants.ts";
import type { Refusal } from "./refusals.ts";

/** What the rules of outbound traffic refused a container. */
export interface RefusedOutbound {
  readonly connections: readonly {
    readonly address: string;
    /** Names that it heard the address under. */
    readonly names: readonly string[];
    /** Of IP. */
    readonly protocol: number;
    readonly port: number | undefined;
    readonly count: number;
  }[];
  readonly names: readonly { readonly name: string; readonly count: number }[];
}

/** Told of each kind; a scan of ports makes thousands. */
const MOST = 20;
const RULE = "outbound: only what was granted can be reached outside its own networks";
const TRANSPORTS: Readonly<Record<number, string>> = { 6: "tcp", 17: "udp" };
const OTHERS: Readonly<Record<number, string>> = { 1: "ICMP", 58: "ICMPv6" };

/** With the line that grants each, for the command line and for a Compose file; what was tried most often comes first. */
export function explainOutbound({ connections, names }: RefusedOutbound): readonly Refusal[] {
  const often = <T extends { readonly count: number }>(list: readonly T[]): readonly T[] =>
    [...list].sort((one, other) => other.count - one.count).slice(0, MOST);
  return [
    ...often(names).map(({ name, count }) => ({
      tried: `asked for a name${times(count)}`,
      target: name,
      rule: RULE,
      ...granting([name]),
    })),
    ...often(connections).map(({ address, names: heard, protocol, port, count }) => {
      const transport = TRANSPORTS[protocol];
      const there = heard.length > 0 ? `${heard.join(", ")} (${address})` : address;
      const end = transport === undefined || port === undefined ? "" : `:${port}${transport === "udp" ? "/udp" : ""}`;
      const hosts = heard.length > 0 ? heard : [address];
      const what = transport === undefined ? `sent ${OTHERS[protocol] ?? `IP protocol ${protocol}`}` : "connected";
      return {
        tried: `${what}${times(count)}`,
        target: transport === undefined ? there : `${there} port ${port}/${transport}`,
        rule: RULE,
        ...granting(hosts.map((host) => `${host.includes(":") && end !== "" ? `[${host}]` : host}${end}`)),
      };
    }),
  ];
}

function granting(values: readonly string[]): Pick<Refusal, "grant" | "remedy"> {
  const words = values.map((value) => formatGrant({ name: "egress", value }));
  const grant = words.map((word) => `--grant ${word}`).join(" ");
  const list = values.map((value) => JSON.stringify(value)).join(", ");
  return { grant, remedy: `${grant}, or for the service in a Compose file  x-havre: { egress: [${list}] }` };
}

const times = (count: number): string => (count > 1 ? ` (${count} times)` : "");
