import { createHash } from "node:crypto";
import {
  addAddress,
  createVeth,
  deleteLink,
  findLink,
  interfaceExists,
  type NetlinkSocket,
  openNetworkNamespace,
  setLink,
  writeSysctl,
} from "../../kernel/mod.ts";
import { addressBytes, parseAddress } from "../ip.ts";
import { hasIpv6 } from "./addresses.ts";
import type { Turnaround } from "./rules.ts";

/** Room for a whole datagram: one that came in pieces was put together before it is copied. */
const MTU = 65_535;
/** Both ends have it, so that each takes what the other sends without asking for addresses. */
const MAC = Uint8Array.of(0x02, 0x42, 0, 0, 0, 0x01);
/** RFC 7600: an address that means nothing. The kernel checks sources loosely only where an interface has one. */
export const TURNAROUND_ADDRESS = "192.0.0.8";
/** Linux's limit less the suffix. */
const LONGEST_NAME = 15 - "-back".length;

/** Names of the pair of a daemon, known by the name of its default bridge. */
export function turnaroundNames(owner: string): Turnaround {
  const digest = createHash("sha256").update(owner).digest("hex");
  const name = owner.length <= LONGEST_NAME ? owner : `hv${digest.slice(0, LONGEST_NAME - 2)}`;
  return { out: `${name}-out`, back: `${name}-back` };
}

/** Makes the pair, or brings one that is there to the wanted state. */
export function ensureTurnaround(socket: NetlinkSocket, { out, back }: Turnaround): void {
  if (!interfaceExists(out)) {
    using here = openNetworkNamespace();
    const peer = { name: back, mac: MAC, namespace: here.fd };
    socket.transact([createVeth({ name: out, mtu: MTU, peer }), setLink(out, { mac: MAC })]);
    const index = findLink(socket, back)?.index;
    if (index !== undefined)
      socket.transact([addAddress(index, { address: knownAddress(TURNAROUND_ADDRESS), prefixLength: 32 })]);
  }
  // On a host that gives new interfaces no IPv6: copies need a link-local address to be sent from.
  if (hasIpv6()) for (const name of [out, back]) writeSysctl(`net/ipv6/conf/${name}/disable_ipv6`, "0");
  // Strict checking everywhere on the host (`all`) would drop every copy: its source is reached by another interface.
  writeSysctl(`net/ipv4/conf/${back}/rp_filter`, "2");
  socket.transact([out, back].map((name) => setLink(name, { noArp: true, up: true })));
}

function knownAddress(text: string): Uint8Array {
  return addressBytes(4, parseAddress(text)?.address ?? 0n);
}

export function removeTurnaround(socket: NetlinkSocket, { out }: Turnaround): void {
  if (interfaceExists(out)) socket.transact([deleteLink(out)]);
}
