import type { NetlinkSocket } from "./netlink.ts";
import { attribute, type NetlinkRequest, nestedAttribute, textAttribute } from "./netlink-message.ts";
import { transactNftables } from "./nftables-netlink.ts";

const NFNL_SUBSYS_NFTABLES = 10;
const NEW_ELEMENT = (NFNL_SUBSYS_NFTABLES << 8) | 12;
const DELETE_ELEMENT = (NFNL_SUBSYS_NFTABLES << 8) | 14;
const GET_TABLE = (NFNL_SUBSYS_NFTABLES << 8) | 1;
const TABLE_NAME = 1;
const NLM_F_CREATE = 0x400;
/** Attributes of include/uapi/linux/netfilter/nf_tables.h. */
const LIST = { table: 1, set: 2, elements: 3 } as const;
const ELEMENT = { key: 1, data: 2, timeout: 4, userData: 6, keyEnd: 10 } as const;
const DATA_VALUE = 1;
const LIST_ELEMENT = 1;
const COMMENT = 0;
const LONGEST_COMMENT = 127;
const FAMILIES = { inet: 1, ip: 2, bridge: 7, ip6: 10 } as const;

/** An element of a set or map of nftables. Key and value: registers one after the other, each padded to four bytes. */
export interface NftablesElement {
  readonly family: keyof typeof FAMILIES;
  readonly table: string;
  readonly set: string;
  readonly key: Uint8Array;
  /** Of a set of intervals: the last that the element covers. */
  readonly keyEnd?: Uint8Array;
  /** Of a map. */
  readonly value?: Uint8Array;
  /** Milliseconds after which it goes by itself; of a set with timeouts. */
  readonly timeout?: number;
  /** Shown by `nft list`; not part of what identifies an element. */
  readonly comment?: string;
}

/**
 * Removes and adds elements as one transaction, without a process. An element that is there already is no error;
 * `not-found` when a table, a set or a removed element is not there.
 * @param socket one of `NETLINK_NETFILTER`. Closing it after a removal waits for the kernel: keep it open.
 */
export function changeNftablesElements(
  socket: NetlinkSocket,
  removed: readonly NftablesElement[],
  added: readonly NftablesElement[],
): void {
  transactNftables(socket, [
    ...removed.map((element) => request(DELETE_ELEMENT, 0, element)),
    ...added.map((element) => request(NEW_ELEMENT, NLM_F_CREATE, element)),
  ]);
}

/** Whether there is such a table. `socket`: one of `NETLINK_NETFILTER`. */
export function nftablesTableExists(socket: NetlinkSocket, family: NftablesElement["family"], table: string): boolean {
  const body = Buffer.concat([Buffer.from([FAMILIES[family], 0, 0, 0]), textAttribute(TABLE_NAME, table)]);
  return socket.get({ type: GET_TABLE, flags: 0, body, subject: `table ${family} ${table}` }) !== undefined;
}

function request(
  type: number,
  flags: number,
  { family, table, set, key, keyEnd, value, timeout, comment }: NftablesElement,
): NetlinkRequest {
  const data = (bytes: Uint8Array) => attribute(DATA_VALUE, bytes);
  const element = nestedAttribute(
    LIST_ELEMENT,
    nestedAttribute(ELEMENT.key, data(key)),
    ...(keyEnd ? [nestedAttribute(ELEMENT.keyEnd, data(keyEnd))] : []),
    ...(value ? [nestedAttribute(ELEMENT.data, data(value))] : []),
    ...(timeout === undefined || type === DELETE_ELEMENT ? [] : [attribute(ELEMENT.timeout, milliseconds(timeout))]),
    ...(comment === undefined || type === DELETE_ELEMENT ? [] : [attribute(ELEMENT.userData, commentBytes(comment))]),
  );
  return {
    type,
    flags,
    // nfgenmsg: family, version, resource.
    body: Buffer.concat([
      Buffer.from([FAMILIES[family], 0, 0, 0]),
      textAttribute(LIST.table, table),
      textAttribute(LIST.set, set),
      nestedAttribute(LIST.elements, element),
    ]),
    subject: `element of ${family} ${table} ${set}`,
  };
}

function milliseconds(timeout: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(Math.round(timeout)));
  return bytes;
}

/** As nft(8) itself keeps comments: type, length, text with its NUL. */
function commentBytes(comment: string): Buffer {
  const text = Buffer.from(`${comment.slice(0, LONGEST_COMMENT)}\0`);
  return Buffer.concat([Buffer.from([COMMENT, text.byteLength]), text]);
}
