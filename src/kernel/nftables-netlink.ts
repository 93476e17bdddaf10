import { NetlinkSocket } from "./netlink.ts";
import { attribute, type NetlinkRequest, nestedAttribute, textAttribute } from "./netlink-message.ts";
import { inNetworkNamespace, type NetworkNamespace } from "./netns.ts";

/**
 * nftables by netlink, for rules that are made while someone waits: a transaction takes a fraction of a millisecond where
 * a process takes several. Only what is used is here. Source: include/uapi/linux/netfilter/nf_tables.h.
 */

export const NETLINK_NETFILTER = 12;
/** Closing a socket waits for the kernel to free what was deleted (some 15 ms), unless it has had the time to. Until then the socket holds its namespace. */
const CLOSE_AFTER_MS = 500;
const SUBSYSTEM = 10;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const NEW_TABLE = 0;
const GET_TABLE = 1;
const DELETE_TABLE = 2;
const NEW_CHAIN = 3;
const NEW_RULE = 6;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;
const NFPROTO_IPV4 = 2;

const REGISTER = 1;
const VERDICT_REGISTER = 0;
const NF_DROP = 0;

/** One step of a rule; the steps of a rule follow one another until one does not match. */
export type RuleStep = Buffer;

/** Where in a packet, in bytes from the start of its IP or its TCP or UDP header. */
export interface PacketField {
  readonly header: "network" | "transport";
  readonly offset: number;
  readonly length: number;
}

export interface RuleChain {
  readonly name: string;
  readonly hook: "input" | "output";
  readonly priority: number;
  readonly rules: readonly (readonly RuleStep[])[];
}

const HOOKS = { input: 1, output: 3 } as const;

/** Makes an IPv4 table of filter chains in a namespace, in place of one of this name, in one transaction. */
export function replaceTable(namespace: NetworkNamespace, table: string, chains: readonly RuleChain[]): void {
  const socket = inNetworkNamespace(namespace, () => new NetlinkSocket(NETLINK_NETFILTER));
  let former: unknown;
  try {
    former = socket.get(change(GET_TABLE, 0, table, textAttribute(1, table)));
    const removal = former ? [change(DELETE_TABLE, 0, table, textAttribute(1, table))] : [];
    transactNftables(socket, [...removal, ...creation(table, chains)]);
  } finally {
    if (former) setTimeout(() => socket[Symbol.dispose](), CLOSE_AFTER_MS).unref();
    else socket[Symbol.dispose]();
  }
}

/** Changes as one transaction: all of them happen or none. */
export function transactNftables(socket: NetlinkSocket, changes: readonly NetlinkRequest[]): void {
  socket.transactBetween(mark(BATCH_BEGIN), changes, mark(BATCH_END));
}

function creation(table: string, chains: readonly RuleChain[]): NetlinkRequest[] {
  const requests = [change(NEW_TABLE, NLM_F_CREATE, table, textAttribute(1, table))];
  for (const { name, hook, priority, rules } of chains) {
    const at = nestedAttribute(4, bigEndian32(1, HOOKS[hook]), bigEndian32(2, priority));
    const parts = [textAttribute(1, table), textAttribute(3, name), at, textAttribute(7, "filter")];
    requests.push(change(NEW_CHAIN, NLM_F_CREATE, `${table} ${name}`, ...parts));
    for (const steps of rules) {
      const list = nestedAttribute(4, ...steps);
      const rule = [textAttribute(1, table), textAttribute(2, name), list];
      requests.push(change(NEW_RULE, NLM_F_CREATE | NLM_F_APPEND, `rule of ${table} ${name}`, ...rule));
    }
  }
  return requests;
}

function mark(type: number): NetlinkRequest {
  return { type, flags: 0, body: Uint8Array.of(0, 0, 0, SUBSYSTEM), subject: "nftables" };
}

/** Goes on with packets that have these bytes there. */
export function matchField(field: PacketField, value: Uint8Array): RuleStep[] {
  const data = nestedAttribute(3, attribute(1, value));
  return [
    step("payload", bigEndian32(1, REGISTER), ...location(field)),
    step("cmp", bigEndian32(1, REGISTER), bigEndian32(2, 0), data),
  ];
}

/** Puts these bytes there and corrects the checksum, `checksum` bytes from the start of the TCP or UDP header. */
export function setField(field: PacketField, value: Uint8Array, checksum: number): RuleStep[] {
  const data = nestedAttribute(2, attribute(1, value));
  const internetChecksum = bigEndian32(6, 1);
  return [
    step("immediate", bigEndian32(1, REGISTER), data),
    step("payload", bigEndian32(5, REGISTER), ...location(field), internetChecksum, bigEndian32(7, checksum)),
  ];
}

/** Goes on with packets beyond so many a second, and `burst` at once. */
export function matchRateOver(packetsPerSecond: number, burst: number): RuleStep[] {
  const inverted = bigEndian32(5, 1);
  return [
    step(
      "limit",
      bigEndian64(1, packetsPerSecond),
      bigEndian64(2, 1),
      bigEndian32(3, burst),
      bigEndian32(4, 0),
      inverted,
    ),
  ];
}

export function dropPacket(): RuleStep[] {
  const verdict = nestedAttribute(2, bigEndian32(1, NF_DROP));
  return [step("immediate", bigEndian32(1, VERDICT_REGISTER), nestedAttribute(2, verdict))];
}

function location({ header, offset, length }: PacketField): Buffer[] {
  return [bigEndian32(2, header === "network" ? 1 : 2), bigEndian32(3, offset), bigEndian32(4, length)];
}

function step(name: string, ...attributes: readonly Buffer[]): RuleStep {
  return nestedAttribute(1, textAttribute(1, name), nestedAttribute(2, ...attributes));
}

function change(type: number, flags: number, subject: string, ...attributes: readonly Buffer[]): NetlinkRequest {
  const body = Buffer.concat([Uint8Array.of(NFPROTO_IPV4, 0, 0, 0), ...attributes]);
  return { type: (SUBSYSTEM << 8) | type, flags, body, subject };
}

/** Unlike the rest of netlink, nftables' numbers are in network byte order. */
function bigEndian32(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value, 0);
  return attribute(type, bytes);
}

function bigEndian64(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value), 0);
  return attribute(type, bytes);
}
