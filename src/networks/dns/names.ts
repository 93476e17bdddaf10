import { isIPv4 } from "node:net";
import { reverseName } from "./reverse.ts";

/** Names and addresses that one container has on one network. */
export interface NetworkNames {
  readonly networkId: string;
  /** The first is the one that its addresses are given back as. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** Who has a name. */
class Holders extends Map<string, readonly string[]> {
  /** How often it was asked for, by family: whoever comes next is first then. */
  readonly turns = { 4: 0, 6: 0 };
}

interface NamesOfNetwork {
  /** Name in lower case → container → its addresses. */
  readonly addresses: Map<string, Holders>;
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
      for (const name of names)
        entryOf(network.addresses, name.toLowerCase(), () => new Holders()).set(container, addresses);
      const [first] = names;
      if (first === undefined) continue;
      for (const address of addresses)
        entryOf(network.names, reverseName(address), () => new Map()).set(container, first);
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

  knows(networkId: string, name: string): boolean {
    return this.#networks.get(networkId)?.addresses.has(name) === true;
  }

  /** The addresses of one family behind a name (lower case), each time another one first: in turn, whoever asks. */
  addressesInTurn(networkId: string, name: string, family: 4 | 6): readonly string[] {
    const holders = this.#networks.get(networkId)?.addresses.get(name);
    if (!holders) return [];
    const all = [...new Set([...holders.values()].flat())].filter((address) => isIPv4(address) === (family === 4));
    if (all.length < 2) return all;
    const first = holders.turns[family]++ % all.length;
    return [...all.slice(first), ...all.slice(0, first)];
  }

  /** The name of the container whose address has this reverse name. */
  nameBehind(networkId: string, reverse: string): string | undefined {
    return this.#networks.get(networkId)?.names.get(reverse)?.values().next().value;
  }
}

function entryOf<E>(map: Map<string, E>, key: string, make: () => E): E {
  const entry = map.get(key) ?? make();
  map.set(key, entry);
  return entry;
}

function removeFrom<V>(map: Map<string, Map<string, V>>, key: string, container: string): void {
  const entry = map.get(key);
  entry?.delete(container);
  if (entry?.size === 0) map.delete(key);
}
