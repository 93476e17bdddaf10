import { check, libcSymbols } from "./libc.ts";
import { attributeText, decodeMessages, parseAttributes } from "./netlink-message.ts";
import { type EventSocket, watchSocket } from "./readiness.ts";

const libc = libcSymbols({
  socket: { args: ["int", "int", "int"], returns: "int" },
  bind: { args: ["int", "ptr", "u32"], returns: "int" },
  close: { args: ["int"], returns: "int" },
});

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_NETFILTER = 12;
/** Bit of NFNLGRP_NFTABLES (7). */
const NFTABLES_GROUP = 1 << 6;
const NFNL_SUBSYS_NFTABLES = 10;
/** By number of netfilter.h. */
const FAMILIES: readonly FirewallChange["family"][] = [
  "other",
  "inet",
  "ip",
  "other",
  "other",
  "other",
  "other",
  "bridge",
  "other",
  "other",
  "ip6",
];
const CHANGES: ReadonlyMap<number, FirewallChange["what"]> = new Map([
  [0, "table"],
  [2, "table"],
  [3, "chain"],
  [5, "chain"],
]);

/** A table or chain that someone made, changed or deleted. */
export interface FirewallChange {
  readonly what: "table" | "chain";
  readonly family: "inet" | "ip" | "ip6" | "bridge" | "other";
  readonly table: string;
}

/**
 * Tells of changes of nftables tables and chains (iptables-nft's are among them) in the calling thread's namespace, as
 * they come, at no cost while there are none.
 * @param lost the kernel had more to tell than the socket holds, or the socket failed: it is closed, look for yourself.
 */
export async function watchNftables(changed: (change: FirewallChange) => void, lost: () => void): Promise<Disposable> {
  const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = check(libc().socket(AF_NETLINK, type, NETLINK_NETFILTER), "socket", "nftables events");
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(NFTABLES_GROUP, 8);
  let wanted = true;
  let socket: EventSocket;
  try {
    check(libc().bind(fd, address, address.byteLength), "bind", "nftables events");
    socket = await watchSocket(fd, {
      data: (bytes) => {
        for (const change of parseChanges(bytes)) changed(change);
      },
      close: () => {
        if (wanted) lost();
      },
    });
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  return {
    [Symbol.dispose]: () => {
      wanted = false;
      socket.close();
    },
  };
}

function* parseChanges(bytes: Uint8Array): Generator<FirewallChange> {
  for (const { type, body } of decodeMessages(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
    const what = type >> 8 === NFNL_SUBSYS_NFTABLES ? CHANGES.get(type & 255) : undefined;
    // Four bytes of nfgenmsg, then attributes; the first names the table in messages of both kinds.
    const table = what && attributeText(parseAttributes(body, 4).get(1));
    if (what && table !== undefined) yield { what, table, family: FAMILIES[body.readUInt8(0)] ?? "other" };
  }
}
