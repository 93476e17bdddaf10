import { contains, type Family, parseAddress, parseCidr, type Subnet, subnetOf } from "../ip.ts";

/** One destination: a name in lower case (`*.` and a name: all below it), an address, or a CIDR. */
export interface EgressRule {
  readonly host: string;
  /** Absent: everything there. */
  readonly port?: number;
  readonly protocol?: "tcp" | "udp";
}

/** What a container may reach outside its networks; absent where one is asked for: everything. */
export interface Egress {
  readonly any: boolean;
  /** With `any`: what stays shut to others, link-local addresses. */
  readonly rules: readonly EgressRule[];
}

/** What a container tried and was refused. Times in milliseconds since the epoch. */
export interface EgressRefusals {
  readonly connections: readonly {
    readonly address: string;
    /** Names that it heard the address under. */
    readonly names: readonly string[];
    /** Of IP; 6 and 17 are TCP and UDP, which have ports. */
    readonly protocol: number;
    readonly port: number | undefined;
    readonly count: number;
    readonly last: number;
  }[];
  /** Names that were not resolved. */
  readonly names: readonly { readonly name: string; readonly count: number; readonly last: number }[];
}

export function isLimited(egress: Egress | undefined): egress is Egress {
  return egress !== undefined && !egress.any;
}

/** Whether a name (lower case) is meant by a rule's host. */
export function matchesName(host: string, name: string): boolean {
  return host.startsWith("*.") ? name.endsWith(host.slice(1)) : host === name;
}

/** The subnet that a rule's host is, one address being one; undefined: it is a name. */
export function subnetOfRule({ host }: EgressRule): Subnet | undefined {
  const address = parseAddress(host);
  if (address) return subnetOf(address.family, address.address, address.family === 4 ? 32 : 128);
  return parseCidr(host)?.subnet;
}

/** Addresses that rules name one by one, and that lie in `subnets`. */
export function namedExactly(
  egress: Egress | undefined,
  subnets: readonly Subnet[],
): readonly { readonly family: Family; readonly address: bigint }[] {
  return (egress?.rules ?? []).flatMap((rule) => {
    const address = parseAddress(rule.host);
    return address && subnets.some((one) => one.family === address.family && contains(one, address.address))
      ? [address]
      : [];
  });
}
