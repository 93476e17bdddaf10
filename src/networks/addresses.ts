import { broadcastOf, contains, type Ipv4, type Subnet, subnetSize } from "./ipv4.ts";

/**
 * Who has which address of a subnet. In memory: the store says at start what containers have, all else died with the
 * daemon before.
 *
 * Free addresses are given from the lowest up. One that a stopped container had is kept for it while others are free.
 * One whose interface the kernel has not deleted yet is not given out: two interfaces would answer for it.
 */
export class AddressPool {
  readonly #subnet: Subnet;
  readonly #used = new Set<Ipv4>();
  readonly #kept = new Map<Ipv4, string>();
  readonly #leaving = new Map<Ipv4, string>();

  constructor(subnet: Subnet, gateway: Ipv4) {
    this.#subnet = subnet;
    for (const address of [subnet.base, broadcastOf(subnet), gateway]) this.#used.add(address);
  }

  /** How many addresses containers can have at once. */
  get capacity(): number {
    return subnetSize(this.#subnet) - 3;
  }

  /** An address for use; undefined when all are taken. */
  take(interfaceExists: (name: string) => boolean): Ipv4 | undefined {
    this.sweep(interfaceExists);
    let lowestKept: Ipv4 | undefined;
    for (let address = this.#subnet.base + 1; address < broadcastOf(this.#subnet); address++) {
      if (this.#used.has(address) || this.#leaving.has(address)) continue;
      if (!this.#kept.has(address)) return this.#use(address);
      lowestKept ??= address;
    }
    return lowestKept === undefined ? undefined : this.#use(lowestKept);
  }

  /** Takes this very address: `taken` when someone has it, `leaving` when its former interface still exists. */
  claim(address: Ipv4, interfaceExists: (name: string) => boolean): "claimed" | "taken" | "leaving" {
    this.sweep(interfaceExists);
    if (!contains(this.#subnet, address) || this.#used.has(address)) return "taken";
    if (this.#leaving.has(address)) return "leaving";
    this.#use(address);
    return "claimed";
  }

  /** Gives an address back that `hostInterface` had; kept for `keptFor` as long as others are free. */
  release(address: Ipv4, hostInterface: string | undefined, keptFor: string | undefined): void {
    this.#used.delete(address);
    if (hostInterface !== undefined) this.#leaving.set(address, hostInterface);
    if (keptFor !== undefined) this.keep(address, keptFor);
  }

  keep(address: Ipv4, keptFor: string): void {
    this.#kept.set(address, keptFor);
  }

  /** The container is gone for good: nothing is kept for it. */
  forget(address: Ipv4, keptFor: string): void {
    if (this.#kept.get(address) === keptFor) this.#kept.delete(address);
  }

  /** Interfaces of released addresses that still exist. */
  sweep(interfaceExists: (name: string) => boolean): readonly string[] {
    for (const [address, name] of this.#leaving) if (!interfaceExists(name)) this.#leaving.delete(address);
    return [...this.#leaving.values()];
  }

  #use(address: Ipv4): Ipv4 {
    this.#used.add(address);
    this.#kept.delete(address);
    return address;
  }
}
