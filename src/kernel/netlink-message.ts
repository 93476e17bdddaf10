/**
 * The wire form of netlink: messages of a header, a fixed part and attributes, all in host byte order and padded to
 * four bytes. Source: netlink(7), include/uapi/linux/netlink.h.
 */

/** One request; `subject` says what it is about in an error (`veth abc`). */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
  readonly subject: string;
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

export const HEADER_SIZE = 16;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

const align = (length: number): number => (length + 3) & ~3;

/** An attribute with raw bytes. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(align(4 + value.byteLength));
  bytes.writeUInt16LE(4 + value.byteLength, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

export function u8Attribute(type: number, value: number): Buffer {
  return attribute(type, Uint8Array.of(value));
}

export function u32Attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return attribute(type, bytes);
}

/** A NUL-terminated string attribute. */
export function textAttribute(type: number, value: string): Buffer {
  return attribute(type, Buffer.from(`${value}\0`));
}

export function nestedAttribute(type: number, ...inner: readonly Uint8Array[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(inner));
}

/** The attributes in `bytes` from `offset` on, by type; of a repeated type the last. */
export function parseAttributes(bytes: Buffer, offset = 0): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = offset; at + 4 <= bytes.byteLength; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.byteLength) break;
    found.set(bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return found;
}

/** A string attribute without its terminating NUL. */
export function attributeText(value: Buffer | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString("utf8", 0, end < 0 ? value.byteLength : end);
}

export function attributeU32(value: Buffer | undefined): number | undefined {
  return value && value.byteLength >= 4 ? value.readUInt32LE(0) : undefined;
}

/** Requests as one datagram, numbered upwards from `firstSequence`; the kernel handles them in order. */
export function encodeRequests(requests: readonly NetlinkRequest[], firstSequence: number): Buffer {
  const total = requests.reduce((sum, { body }) => sum + align(HEADER_SIZE + body.byteLength), 0);
  const bytes = Buffer.alloc(total);
  let at = 0;
  for (const [index, request] of requests.entries()) {
    const length = HEADER_SIZE + request.body.byteLength;
    bytes.writeUInt32LE(length, at);
    bytes.writeUInt16LE(request.type, at + 4);
    bytes.writeUInt16LE(request.flags, at + 6);
    bytes.writeUInt32LE(firstSequence + index, at + 8);
    bytes.set(request.body, at + HEADER_SIZE);
    at += align(length);
  }
  return bytes;
}

/** The messages of one received datagram. Their bodies point into `bytes`. */
export function* decodeMessages(bytes: Buffer): Generator<NetlinkMessage> {
  for (let at = 0; at + HEADER_SIZE <= bytes.byteLength; ) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER_SIZE || at + length > bytes.byteLength) return;
    yield {
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      body: bytes.subarray(at + HEADER_SIZE, at + length),
    };
    at += align(length);
  }
}
