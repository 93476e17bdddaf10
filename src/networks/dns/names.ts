import { reverseName } from "./reverse.ts";

/** Names and addresses that one container has on one network. */
export interface NetworkNames {
  readonly networkId: string;
  /** The first is the one that its addresses are given back as. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

interface NamesOfNetwork {
  /** Name in lower case → container → its addresses. */
  readonly addresses: Map<string, Map<string, readonly string[]>>;
  /** Reverse name of an address → container → its name. */
  readonly names: Map<string, Map<string, string>>;
}

/** Who has which name on which network. Containers may share names; they never share them with another network. */
export class NameTable {
  readonly #networks = new Map<string, NamesOfNetwork>();
  readonly #holders = new Map<string, readonly NetworkNames[]>();

  /** Replaces all that a container had. */
  set(container: string, networks: readonly NetworkNames[]): void {
    this.delete(container);
    this.#holders.set(container, networks);
    for (const { networkId, names, addresses } of networks) {
      const network = this.#networks.get(networkId) ?? { addresses: new Map(), names: new Map() };
      this.#networks.set(networkId, network);
      for (const name of names) entryOf(network.addresses, name.toLowerCase()).set(container, addresses);
      const [first] = names;
      if (first === undefined) continue;
      for (const address of addresses) entryOf(network.names, reverseName(address)).set(container, first);
    }
  }

  delete(container: string): void {
    for (const { networkId, names, addresses } of this.#holders.get(container) ?? []) {
      const network = this.#networks.get(networkId);
      if (!network) continue;
      for (const name of names) removeFrom(network.addresses, name.toLowerCase(), container);
      for (const address of addresses) removeFrom(network.names, reverseName(address), container);
      if (network.addresses.size === 0) this.#networks.delete(networkId);
    }
    this.#holders.delete(container);
  }

  /** All addresses behind a name (lower case), of both families; undefined: the network does not know it. */
  addressesOf(networkId: string, name: string): readonly string[] | undefined {
    const holders = this.#networks.get(networkId)?.addresses.get(name);
    return holders && [...new Set([...holders.values()].flat())];
  }

  /** The name of the container whose address has this reverse name. */
  nameBehind(networkId: string, reverse: string): string | undefined {
    return this.#networks.get(networkId)?.names.get(reverse)?.values().next().value;
  }
}

function entryOf<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const entry = map.get(key) ?? new Map<string, V>();
  map.set(key, entry);
  return entry;
}

function removeFrom<V>(map: Map<string, Map<string, V>>, key: string, container: string): void {
  const entry = map.get(key);
  entry?.delete(container);
  if (entry?.size === 0) map.delete(key);
}
