import { isHavreError } from "../base/mod.ts";
import { NetlinkSocket } from "./netlink.ts";
import { attribute, nestedAttribute, parseAttributes, u8Attribute, u32Attribute } from "./netlink-message.ts";
import { NETLINK_NETFILTER } from "./nftables-netlink.ts";

const SUBSYSTEM = 1;
const GET = (SUBSYSTEM << 8) | 1;
const DELETE = (SUBSYSTEM << 8) | 2;
/** Attributes of include/uapi/linux/netfilter/nfnetlink_conntrack.h. */
const CTA = { original: 1, reply: 2, state: 4, filter: 25 } as const;
const TUPLE = { addresses: 1, protocol: 2 } as const;
const ADDRESSES = { 4: { source: 1, destination: 2 }, 6: { source: 3, destination: 4 } } as const;
const PROTOCOL = { number: 1, destinationPort: 3 } as const;
/** CTA_PROTOINFO_TCP and CTA_PROTOINFO_TCP_STATE. */
const STATE = { tcp: 1, tcpState: 1 } as const;
/** TCP_CONNTRACK_SYN_SENT (include/uapi/linux/netfilter/nf_conntrack_tcp.h). */
const SYN_SENT = 1;
const FILTER_ORIGINAL = 1;
/** Only with this protocol and this destination port. */
const FILTER_FLAGS = (1 << 3) | (1 << 5);
const FAMILIES = { 4: 2, 6: 10 } as const;

/** A conversation that the kernel keeps track of. */
export interface Conversation {
  /** As it began: protocol number, destination. */
  readonly protocol: number;
  readonly port: number;
  readonly address: Uint8Array;
  /** Who answers: the destination after translation. */
  readonly answerer: Uint8Array;
  /** Of TCP: it was asked to begin, and nobody has answered. */
  readonly unanswered: boolean;
}

/**
 * Makes the kernel forget conversations with a destination port, in the calling thread's network namespace: their next
 * packet begins anew. Without it a client of UDP that goes on sending goes on being sent to where it was once.
 */
export function forgetConversations(
  family: 4 | 6,
  protocol: number,
  port: number,
  which: (conversation: Conversation) => boolean,
): void {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  const head = Buffer.from([FAMILIES[family], 0, 0, 0]);
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  const wanted = nestedAttribute(
    TUPLE.protocol,
    u8Attribute(PROTOCOL.number, protocol),
    attribute(PROTOCOL.destinationPort, portBytes),
  );
  const filter = [
    nestedAttribute(CTA.original, wanted),
    nestedAttribute(CTA.filter, u32Attribute(FILTER_ORIGINAL, FILTER_FLAGS)),
  ];
  const body = Buffer.concat([head, ...filter]);
  // Kernels before 5.8 do not know the filter and tell of all.
  for (const found of socket.dump({ type: GET, flags: 0, body, subject: "tracked conversations" })) {
    const original = parseAttributes(found.body, 4).get(CTA.original);
    const conversation = original && parse(found.body, family);
    if (conversation?.protocol !== protocol || conversation.port !== port || !which(conversation)) continue;
    const named = Buffer.concat([head, nestedAttribute(CTA.original, original ?? Buffer.alloc(0))]);
    try {
      socket.transact([{ type: DELETE, flags: 0, body: named, subject: "tracked conversation" }]);
    } catch (error) {
      // It ended meanwhile.
      if (!isHavreError(error, "not-found")) throw error;
    }
  }
}

function parse(body: Buffer, family: 4 | 6): Conversation | undefined {
  const tuples = parseAttributes(body, 4);
  const inside = (tuple: number, part: number) => {
    const found = parseAttributes(tuples.get(tuple) ?? Buffer.alloc(0)).get(part);
    return parseAttributes(found ?? Buffer.alloc(0));
  };
  const protocol = inside(CTA.original, TUPLE.protocol);
  const { source, destination } = ADDRESSES[family];
  const address = inside(CTA.original, TUPLE.addresses).get(destination);
  const answerer = inside(CTA.reply, TUPLE.addresses).get(source);
  if (!address || !answerer) return undefined;
  const port = protocol.get(PROTOCOL.destinationPort)?.readUInt16BE(0) ?? 0;
  const tcp = parseAttributes(
    parseAttributes(tuples.get(CTA.state) ?? Buffer.alloc(0)).get(STATE.tcp) ?? Buffer.alloc(0),
  );
  const unanswered = tcp.get(STATE.tcpState)?.readUInt8(0) === SYN_SENT;
  return { unanswered, protocol: protocol.get(PROTOCOL.number)?.readUInt8(0) ?? 0, port, address, answerer };
}
