/**
 * The parts of DNS messages that a forwarder and a server of a few records need (RFC 1035, RFC 6891). Names in questions
 * are read for looking up only: replies repeat the question's bytes, and forwarded messages stay as they are. Whatever
 * the bytes, reading ends within their length.
 */

export const RecordType = { a: 1, ptr: 12, aaaa: 28 } as const;
export const Rcode = {
  success: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

const HEADER = 12;
const OPT = 41;
const INTERNET = 1;
/** What every client takes by UDP. */
const SMALLEST_REPLY = 512;
/** What we say we take by UDP: fits any path without fragments. */
const OWN_UDP_SIZE = 1232;
const RESPONSE = 0x8000;
const TRUNCATED = 0x0200;
const RECURSION_AVAILABLE = 0x0080;
/** Recursion desired and checking disabled: repeated in the reply. */
const REPEATED = 0x0110;
const OPCODE = 0x7800;
const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;

export interface Query {
  readonly message: Buffer;
  /** Lower case, without the final dot; a dot inside a label is written `\.`. */
  readonly name: string;
  readonly type: number;
  readonly internet: boolean;
  /** Where the question ends. */
  readonly questionEnd: number;
  /** Longest reply by UDP. */
  readonly udpSize: number;
  /** EDNS version; undefined: the client does not speak it. */
  readonly edns: number | undefined;
}

export interface Resource {
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  readonly data: Uint8Array;
}

/** A query, or the reply to a message that is none; undefined: not worth one. */
export function readQuery(message: Buffer): Query | { readonly reply: Buffer } | undefined {
  if (message.byteLength < HEADER) return undefined;
  const flags = message.readUInt16BE(2);
  if (flags & RESPONSE) return undefined;
  if (flags & OPCODE) return { reply: bareReply(message, Rcode.notImplemented) };
  const question = message.readUInt16BE(4) === 1 ? readQuestion(message) : undefined;
  const opt = question && findOpt(message, question.questionEnd);
  if (!question || !opt) return { reply: bareReply(message, Rcode.formatError) };
  const query = { message, ...question, ...opt };
  return (opt.edns ?? 0) > 0 ? { reply: reply(query, Rcode.badVersion, []) } : query;
}

/**
 * A reply to `query`. Records that do not fit in `limit` bytes are left out, and the reply says so.
 * @param limit undefined: TCP's.
 */
export function reply(query: Query, rcode: number, records: readonly Resource[], limit = 65535): Buffer {
  const { message, questionEnd, edns } = query;
  const opt = edns === undefined ? [] : [ownOpt(rcode >> 4)];
  let room = limit - questionEnd - (opt[0]?.byteLength ?? 0);
  const answers: Buffer[] = [];
  for (const record of records) {
    const bytes = encodeRecord(record);
    room -= bytes.byteLength;
    if (room < 0) break;
    answers.push(bytes);
  }
  const bytes = Buffer.concat([message.subarray(0, questionEnd), ...answers, ...opt]);
  const truncated = answers.length < records.length ? TRUNCATED : 0;
  const repeated = message.readUInt16BE(2) & REPEATED;
  bytes.writeUInt16BE(RESPONSE | RECURSION_AVAILABLE | truncated | repeated | (rcode & 15), 2);
  for (const [index, count] of [1, answers.length, 0, opt.length].entries()) bytes.writeUInt16BE(count, 4 + 2 * index);
  return bytes;
}

/** Somebody else's reply to `query`, cut down to its question when the client could not take it by UDP. */
export function fitReply(query: Query, answer: Buffer): Buffer {
  if (answer.byteLength <= query.udpSize) return answer;
  const bytes = reply(query, answer.readUInt16BE(2) & 15, []);
  bytes.writeUInt16BE(bytes.readUInt16BE(2) | TRUNCATED, 2);
  return bytes;
}

/** A copy of a message under another id. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/**
 * The response code of a message that answers `query` (as it was sent); undefined: it answers something else, or lies. Servers
 * that refuse may leave the question out.
 */
export function rcodeOfAnswer(query: Query, sent: Buffer, answer: Buffer): number | undefined {
  if (answer.byteLength < HEADER || answer.readUInt16BE(0) !== sent.readUInt16BE(0)) return undefined;
  const flags = answer.readUInt16BE(2);
  if (!(flags & RESPONSE) || flags & OPCODE) return undefined;
  const rcode = flags & 15;
  const questions = answer.readUInt16BE(4);
  if (questions === 0 && rcode !== Rcode.success && answer.readUInt16BE(6) === 0) return rcode;
  if (questions !== 1 || answer.byteLength < query.questionEnd) return undefined;
  for (let at = HEADER; at < query.questionEnd; at++) {
    if (lowerCase(answer[at] ?? 0) !== lowerCase(sent[at] ?? 0)) return undefined;
  }
  return rcode;
}

/** The addresses that an answer gives, and for how many seconds the first to run out holds. */
export function addressesIn(answer: Buffer): { readonly addresses: readonly Buffer[]; readonly ttl: number } {
  const addresses: Buffer[] = [];
  let ttl = Number.POSITIVE_INFINITY;
  let at: number | undefined = HEADER;
  for (let left = answer.readUInt16BE(4); left > 0 && at !== undefined; left--) {
    const end = skipName(answer, at);
    at = end === undefined ? undefined : end + 4;
  }
  for (let left = answer.readUInt16BE(6); left > 0 && at !== undefined; left--) {
    const end = skipName(answer, at);
    if (end === undefined || end + 10 > answer.byteLength) break;
    const [type, length] = [answer.readUInt16BE(end), answer.readUInt16BE(end + 8)];
    at = end + 10 + length;
    const wanted = type === RecordType.a ? 4 : type === RecordType.aaaa ? 16 : 0;
    if (wanted === 0 || length !== wanted || at > answer.byteLength) continue;
    addresses.push(answer.subarray(end + 10, at));
    ttl = Math.min(ttl, answer.readUInt32BE(end + 4));
  }
  return { addresses, ttl: Number.isFinite(ttl) ? ttl : 0 };
}

/** A name in wire form; undefined when it cannot be one. */
export function encodeName(name: string): Buffer | undefined {
  const labels = name.split(".").map((label) => Buffer.from(label));
  if (labels.some(({ byteLength }) => byteLength === 0 || byteLength > LONGEST_LABEL)) return undefined;
  const bytes = Buffer.concat([
    ...labels.flatMap((label) => [Uint8Array.of(label.byteLength), label]),
    Uint8Array.of(0),
  ]);
  return bytes.byteLength > LONGEST_NAME ? undefined : bytes;
}

function readQuestion(message: Buffer): Pick<Query, "name" | "type" | "internet" | "questionEnd"> | undefined {
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = message[at] ?? LONGEST_LABEL + 1;
    // A name that comes first has nothing to point back to.
    if (length > LONGEST_LABEL || at - HEADER > LONGEST_NAME) return undefined;
    at++;
    if (length === 0) break;
    labels.push(
      message
        .toString("utf8", at, at + length)
        .toLowerCase()
        .replaceAll(".", "\\."),
    );
    at += length;
  }
  if (at - HEADER > LONGEST_NAME || at + 4 > message.byteLength) return undefined;
  const internet = message.readUInt16BE(at + 2) === INTERNET;
  return { name: labels.join("."), type: message.readUInt16BE(at), internet, questionEnd: at + 4 };
}

/** What the OPT record says, wherever it is among the records after the question; undefined: they are not well-formed. */
function findOpt(message: Buffer, start: number): Pick<Query, "udpSize" | "edns"> | undefined {
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  let found: Pick<Query, "udpSize" | "edns"> = { udpSize: SMALLEST_REPLY, edns: undefined };
  let at = start;
  for (let index = 0; index < count; index++) {
    const end = skipName(message, at);
    if (end === undefined || end + 10 > message.byteLength) return undefined;
    if (message.readUInt16BE(end) === OPT) {
      if (found.edns !== undefined) return undefined;
      const size = message.readUInt16BE(end + 2);
      found = { udpSize: Math.max(size, SMALLEST_REPLY), edns: message.readUInt8(end + 5) };
    }
    at = end + 10 + message.readUInt16BE(end + 8);
  }
  return at <= message.byteLength ? found : undefined;
}

/** Where a name ends that may end in a pointer; the pointer is not followed. */
function skipName(message: Buffer, start: number): number | undefined {
  for (let at = start; at < message.byteLength; ) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > LONGEST_LABEL) return undefined;
    at += 1 + length;
  }
  return undefined;
}

/** A reply to what is no proper query: its header alone. */
function bareReply(message: Buffer, rcode: number): Buffer {
  const bytes = Buffer.alloc(HEADER);
  message.copy(bytes, 0, 0, 4);
  bytes.writeUInt16BE(RESPONSE | (message.readUInt16BE(2) & (OPCODE | REPEATED)) | rcode, 2);
  return bytes;
}

function encodeRecord({ type, ttl, data }: Resource): Buffer {
  const bytes = Buffer.alloc(12 + data.byteLength);
  // The question's name, by a pointer to it.
  bytes.writeUInt16BE(0xc000 | HEADER, 0);
  bytes.writeUInt16BE(type, 2);
  bytes.writeUInt16BE(INTERNET, 4);
  bytes.writeUInt32BE(ttl, 6);
  bytes.writeUInt16BE(data.byteLength, 10);
  bytes.set(data, 12);
  return bytes;
}

/** @param upperRcode the bits of the response code that the header has no room for. */
function ownOpt(upperRcode: number): Buffer {
  const bytes = Buffer.alloc(11);
  bytes.writeUInt16BE(OPT, 1);
  bytes.writeUInt16BE(OWN_UDP_SIZE, 3);
  bytes.writeUInt8(upperRcode, 5);
  return bytes;
}

function lowerCase(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
