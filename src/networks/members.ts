import { isHavreError } from "../base/mod.ts";
import { changeNftablesElements, NETLINK_NETFILTER, NetlinkSocket, type NftablesElement } from "../kernel/mod.ts";
import { addressBytes, formatAddress, formatMac, parseAddress } from "./ip.ts";
import type { Given } from "./network-addresses.ts";

/** What a container's interface may send as. */
export interface Member {
  /** The host's end of the pair. */
  readonly hostInterface: string;
  readonly mac: Uint8Array;
  readonly given: Given;
  /** Link-local addresses that the container asked for. */
  readonly linkLocal: readonly string[];
  /** It may reach services of the host by the bridge's address. */
  readonly hostAccess: boolean;
  /** Link-local addresses beyond the host that it was granted by name. */
  readonly reachesLinkLocal: readonly { readonly family: 4 | 6; readonly address: bigint }[];
  /** It must not reach others on its bridge. */
  readonly alone: boolean;
}

const IFNAME_SIZE = 16;
/** Elements in one message of netlink batches: far below what a socket takes. */
const CHUNK = 200;

/** The sets of the rules that tell containers' interfaces apart: nftables' declarations, without elements. */
export const MEMBER_SETS = {
  bridge: [
    ["ports", "type ifname;"],
    ["alone", "type ifname;"],
    ["macs", "type ifname . ether_addr;"],
    ["members4", "type ifname . ether_addr . ipv4_addr;"],
    ["members6", "type ifname . ether_addr . ipv6_addr;"],
    // Whose addresses a neighbour advertisement may tell: 16 bytes of ICMPv6, which nft has no name for.
    ["targets", "typeof iifname . @th,64,128;"],
  ],
  inet: [
    ["host_access4", "type ipv4_addr;"],
    ["host_access6", "type ipv6_addr;"],
    ["link_local4", "type ipv4_addr . ipv4_addr;"],
    ["link_local6", "type ipv6_addr . ipv6_addr;"],
  ],
} as const;

interface SetElement {
  readonly family: "bridge" | "inet";
  readonly set: string;
  /** As nft(8) reads it. */
  readonly text: string;
  readonly key: Uint8Array;
}

/**
 * Which interfaces containers have, and as whom they may send, kept in sets of nftables without a process: an
 * interface is admitted before its container runs, most of them while they lie ready.
 */
export class Members implements Disposable {
  readonly #table: string;
  readonly #byInterface = new Map<string, Member>();
  readonly #socket = new NetlinkSocket(NETLINK_NETFILTER);
  #closed = false;

  /** @param table the rules' table, of the families `bridge` and `inet`. */
  constructor(table: string) {
    this.#table = table;
  }

  /** Replaces what the interface was admitted as. */
  admit(member: Member): void {
    const former = this.#byInterface.get(member.hostInterface);
    this.#byInterface.set(member.hostInterface, member);
    this.#change(former ? elementsOf(former) : [], elementsOf(member));
  }

  dismiss(hostInterface: string): void {
    const former = this.#byInterface.get(hostInterface);
    if (!this.#byInterface.delete(hostInterface) || !former) return;
    this.#change(elementsOf(former), []);
  }

  /** Elements of a set, as nft(8) reads them. */
  elements(set: string): readonly string[] {
    return this.#all().flatMap((element) => (element.set === set ? [element.text] : []));
  }

  /** Admits everyone again: the rules were replaced, and someone may have come while they were. */
  replay(): void {
    const all = this.#all();
    for (let at = 0; at < all.length; at += CHUNK) this.#change([], all.slice(at, at + CHUNK));
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#socket[Symbol.dispose]();
  }

  #all(): readonly SetElement[] {
    return [...this.#byInterface.values()].flatMap(elementsOf);
  }

  /** Where the rules are not there, somebody has flushed them: they come back with all elements. */
  #change(removed: readonly SetElement[], added: readonly SetElement[]): void {
    if (this.#closed) return;
    const stays = new Set(added.map(({ set, text }) => `${set} ${text}`));
    const gone = removed.filter(({ set, text }) => !stays.has(`${set} ${text}`));
    const toKernel = ({ family, set, key }: SetElement): NftablesElement => ({ family, table: this.#table, set, key });
    try {
      changeNftablesElements(this.#socket, gone.map(toKernel), added.map(toKernel));
    } catch (error) {
      if (!isHavreError(error, "not-found")) throw error;
      // An element to remove may be missing alone: those to add must come in all the same.
      if (gone.length > 0 && added.length > 0) this.#change([], added);
    }
  }
}

function elementsOf(member: Member): readonly SetElement[] {
  const { hostInterface, mac, given, linkLocal, hostAccess, reachesLinkLocal, alone } = member;
  const name = Buffer.alloc(IFNAME_SIZE);
  name.write(hostInterface);
  const paddedMac = Buffer.concat([mac, Buffer.alloc(2)]);
  const [port, hardware] = [`"${hostInterface}"`, formatMac(mac)];
  const element = (family: SetElement["family"], set: string, text: string, ...key: Uint8Array[]): SetElement => ({
    family,
    set,
    text,
    key: Buffer.concat(key),
  });
  const list = [
    element("bridge", "ports", port, name),
    element("bridge", "macs", `${port} . ${hardware}`, name, paddedMac),
    ...(alone ? [element("bridge", "alone", port, name)] : []),
  ];
  const own = [
    ...(given.ipv4 === undefined ? [] : [{ family: 4 as const, address: given.ipv4 }]),
    ...(given.ipv6 === undefined ? [] : [{ family: 6 as const, address: given.ipv6 }]),
  ];
  for (const { family, address } of [...own, ...linkLocal.flatMap((text) => parseAddress(text) ?? [])]) {
    const [bytes, text] = [addressBytes(family, address), formatAddress(family, address)];
    list.push(element("bridge", `members${family}`, `${port} . ${hardware} . ${text}`, name, paddedMac, bytes));
    if (family === 6) {
      const target = `0x${Buffer.from(bytes).toString("hex")}`;
      list.push(element("bridge", "targets", `${port} . ${target}`, name, bytes));
    }
  }
  if (hostAccess) {
    for (const { family, address } of own)
      list.push(element("inet", `host_access${family}`, formatAddress(family, address), addressBytes(family, address)));
  }
  for (const { family, address } of own) {
    for (const there of reachesLinkLocal.filter((one) => one.family === family)) {
      const [bytes, text] = [addressBytes(family, address), formatAddress(family, address)];
      const to = [addressBytes(family, there.address), formatAddress(family, there.address)] as const;
      list.push(element("inet", `link_local${family}`, `${text} . ${to[1]}`, bytes, to[0]));
    }
  }
  return list;
}
