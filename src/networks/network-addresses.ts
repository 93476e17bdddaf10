import { AddressPool, type InterfaceCheck } from "./addresses.ts";
import { type Address, addressBytes, type Family, formatAddress, knownSubnet, lastOf, parseAddress } from "./ip.ts";
import type { IpamPool } from "./model.ts";

/** The addresses of one interface; undefined: none of that family. */
export interface Given {
  readonly ipv4: Address | undefined;
  readonly ipv6: Address | undefined;
}

/** An address as the kernel wants it on an interface. */
export interface InterfaceAddress {
  readonly address: Uint8Array;
  readonly prefixLength: number;
  readonly broadcast?: Uint8Array;
}

const known = (text: string): Address => parseAddress(text)?.address ?? 0n;

/** The pool of a family that containers get addresses of. */
export function poolOf(pools: readonly IpamPool[], family: Family): IpamPool | undefined {
  return pools.find(({ subnet }) => knownSubnet(subnet).family === family);
}

/** Who has which addresses of a network, of both families together: an interface gets all of its addresses or none. */
export class NetworkAddresses {
  readonly v4: AddressPool | undefined;
  readonly v6: AddressPool | undefined;

  constructor(pools: readonly IpamPool[]) {
    const open = (family: Family) => {
      const pool = poolOf(pools, family);
      if (!pool) return undefined;
      const others = Object.values(pool.auxiliary ?? {});
      return new AddressPool({
        subnet: knownSubnet(pool.subnet),
        ...(pool.ipRange === undefined ? {} : { range: knownSubnet(pool.ipRange) }),
        reserved: [...(pool.gateway === undefined ? [] : [pool.gateway]), ...others].map(known),
      });
    };
    this.v4 = open(4);
    this.v6 = open(6);
  }

  /** How many interfaces can have addresses at once. */
  get capacity(): number {
    return Math.min(this.v4?.capacity ?? 2 ** 32, this.v6?.capacity ?? 2 ** 32);
  }

  /** Free addresses, of each family the network has; the family that has none left when one has none. */
  take(exists: InterfaceCheck): Given | "no-ipv4" | "no-ipv6" {
    const ipv4 = this.v4?.take(exists);
    if (this.v4 && ipv4 === undefined) return "no-ipv4";
    const ipv6 = this.v6?.take(exists);
    if (!this.v6 || ipv6 !== undefined) return { ipv4, ipv6 };
    if (ipv4 !== undefined) this.v4?.release(ipv4, undefined, undefined);
    return "no-ipv6";
  }

  /**
   * These very addresses; free ones for a family that is not named.
   * @returns what stands in the way: someone has one, or its former interface is about to go.
   */
  claim(
    wanted: Partial<Given>,
    exists: InterfaceCheck,
  ): Given | "taken" | "leaving" | "outside" | "no-ipv4" | "no-ipv6" {
    const first = one(this.v4, wanted.ipv4, exists);
    if (typeof first === "string") return first === "none-left" ? "no-ipv4" : first;
    const second = one(this.v6, wanted.ipv6, exists);
    if (typeof second !== "string") return { ipv4: first, ipv6: second };
    if (first !== undefined) this.v4?.release(first, undefined, undefined);
    return second === "none-left" ? "no-ipv6" : second;
  }

  release({ ipv4, ipv6 }: Given, hostInterface: string | undefined, keptFor: string | undefined): void {
    if (ipv4 !== undefined) this.v4?.release(ipv4, hostInterface, keptFor);
    if (ipv6 !== undefined) this.v6?.release(ipv6, hostInterface, keptFor);
  }

  keep({ ipv4, ipv6 }: Given, keptFor: string): void {
    if (ipv4 !== undefined) this.v4?.keep(ipv4, keptFor);
    if (ipv6 !== undefined) this.v6?.keep(ipv6, keptFor);
  }

  forget({ ipv4, ipv6 }: Given, keptFor: string): void {
    if (ipv4 !== undefined) this.v4?.forget(ipv4, keptFor);
    if (ipv6 !== undefined) this.v6?.forget(ipv6, keptFor);
  }

  /** Interfaces that have not gone yet and had one of these addresses. */
  leavingAt({ ipv4, ipv6 }: Partial<Given>): readonly string[] {
    const four = ipv4 === undefined ? undefined : this.v4?.leavingAt(ipv4);
    const six = ipv6 === undefined ? undefined : this.v6?.leavingAt(ipv6);
    return [...new Set([four ?? [], six ?? []].flat())];
  }

  sweep(exists: InterfaceCheck): readonly string[] {
    return [...new Set([...(this.v4?.sweep(exists) ?? []), ...(this.v6?.sweep(exists) ?? [])])];
  }

  /** As they are set on an interface. */
  forInterface({ ipv4, ipv6 }: Given): readonly InterfaceAddress[] {
    const list: InterfaceAddress[] = [];
    if (ipv4 !== undefined && this.v4) {
      const { subnet } = this.v4;
      const broadcast = addressBytes(4, lastOf(subnet));
      list.push({ address: addressBytes(4, ipv4), prefixLength: subnet.prefixLength, broadcast });
    }
    if (ipv6 !== undefined && this.v6)
      list.push({ address: addressBytes(6, ipv6), prefixLength: this.v6.subnet.prefixLength });
    return list;
  }
}

function one(
  pool: AddressPool | undefined,
  wanted: Address | undefined,
  exists: InterfaceCheck,
): Address | undefined | "taken" | "leaving" | "outside" | "none-left" {
  if (!pool) return wanted === undefined ? undefined : "outside";
  if (wanted === undefined) return pool.take(exists) ?? "none-left";
  const claim = pool.claim(wanted, exists);
  return claim === "claimed" ? wanted : claim;
}

/** As text; empty where there is none. */
export function givenText({ ipv4, ipv6 }: Given): { readonly ipAddress: string; readonly ipv6Address: string } {
  return {
    ipAddress: ipv4 === undefined ? "" : formatAddress(4, ipv4),
    ipv6Address: ipv6 === undefined ? "" : formatAddress(6, ipv6),
  };
}

/** The reverse of `givenText`. */
export function givenOf(endpoint: { readonly ipAddress: string; readonly ipv6Address: string }): Given {
  return { ipv4: parseAddress(endpoint.ipAddress)?.address, ipv6: parseAddress(endpoint.ipv6Address)?.address };
}
