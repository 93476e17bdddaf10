import { type Address, contains, lastOf, type Subnet } from "./ip.ts";

export interface AddressPoolOptions {
  readonly subnet: Subnet;
  /** Addresses are chosen from this part; absent: all of the subnet. */
  readonly range?: Subnet;
  /** Never given out: gateway, others' addresses. */
  readonly reserved: readonly Address[];
}

/** Whether an interface of the host exists. */
export type InterfaceCheck = (name: string) => boolean;
export type Claim = "claimed" | "taken" | "leaving" | "outside";

/**
 * Who has which address of a subnet. In memory: the store says at start what containers have, all else died with the
 * daemon before.
 *
 * Free addresses are given from the lowest up. One that a stopped container had is kept for it while others are free.
 * One whose interface the kernel has not deleted yet is not given out: two interfaces would answer for it.
 */
export class AddressPool {
  readonly subnet: Subnet;
  readonly #range: Subnet;
  readonly #reserved: ReadonlySet<Address>;
  readonly #used = new Set<Address>();
  readonly #kept = new Map<Address, string>();
  readonly #leaving = new Map<Address, string>();

  constructor({ subnet, range = subnet, reserved }: AddressPoolOptions) {
    this.subnet = subnet;
    this.#range = range;
    // The first address names the subnet (IPv4) or its routers (RFC 4291, 2.6.1), the last IPv4 one is for broadcasts.
    const ends = subnet.family === 4 && subnet.prefixLength < 31 ? [subnet.base, lastOf(subnet)] : [subnet.base];
    this.#reserved = new Set([...reserved, ...(subnet.prefixLength >= (subnet.family === 4 ? 31 : 127) ? [] : ends)]);
  }

  /** How many addresses containers can have at once; for a large subnet a number beyond use. */
  get capacity(): number {
    const size = lastOf(this.#range) - this.#range.base + 1n;
    const reserved = [...this.#reserved].filter((address) => contains(this.#range, address)).length;
    return Number(size) - reserved;
  }

  /** An address for use; undefined when all are taken. */
  take(interfaceExists: InterfaceCheck): Address | undefined {
    this.sweep(interfaceExists);
    let lowestKept: Address | undefined;
    const last = lastOf(this.#range);
    for (let address = this.#range.base; address <= last; address++) {
      if (this.#used.has(address) || this.#reserved.has(address) || this.#leaving.has(address)) continue;
      if (!this.#kept.has(address)) return this.#use(address);
      lowestKept ??= address;
    }
    return lowestKept === undefined ? undefined : this.#use(lowestKept);
  }

  /** Takes this very address: `taken` when someone has it, `leaving` when its former interface still exists. */
  claim(address: Address, interfaceExists: InterfaceCheck): Claim {
    this.sweep(interfaceExists);
    if (!contains(this.subnet, address)) return "outside";
    if (this.#used.has(address) || this.#reserved.has(address)) return "taken";
    if (this.#leaving.has(address)) return "leaving";
    this.#use(address);
    return "claimed";
  }

  /** Gives an address back that `hostInterface` had; kept for `keptFor` as long as others are free. */
  release(address: Address, hostInterface: string | undefined, keptFor: string | undefined): void {
    this.#used.delete(address);
    if (hostInterface !== undefined) this.#leaving.set(address, hostInterface);
    if (keptFor !== undefined) this.keep(address, keptFor);
  }

  keep(address: Address, keptFor: string): void {
    this.#kept.set(address, keptFor);
  }

  /** The container is gone for good: nothing is kept for it. */
  forget(address: Address, keptFor: string): void {
    if (this.#kept.get(address) === keptFor) this.#kept.delete(address);
  }

  /** The interface that had this address and has not gone yet. */
  leavingAt(address: Address): string | undefined {
    return this.#leaving.get(address);
  }

  /** Interfaces of released addresses that still exist. */
  sweep(interfaceExists: InterfaceCheck): readonly string[] {
    for (const [address, name] of this.#leaving) if (!interfaceExists(name)) this.#leaving.delete(address);
    return [...this.#leaving.values()];
  }

  #use(address: Address): Address {
    this.#used.add(address);
    this.#kept.delete(address);
    return address;
  }
}
