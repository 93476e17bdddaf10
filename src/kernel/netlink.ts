import { HavreError } from "../base/mod.ts";
import { check, errno, libcSymbols, systemError } from "./libc.ts";
import {
  attributeText,
  decodeMessages,
  encodeRequests,
  type NetlinkMessage,
  type NetlinkRequest,
  parseAttributes,
} from "./netlink-message.ts";

const libc = libcSymbols({
  socket: { args: ["int", "int", "int"], returns: "int" },
  setsockopt: { args: ["int", "int", "int", "ptr", "u32"], returns: "int" },
  send: { args: ["int", "ptr", "usize", "int"], returns: "i64" },
  recv: { args: ["int", "ptr", "usize", "int"], returns: "i64" },
  close: { args: ["int"], returns: "int" },
});

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_DONTWAIT = 0x40;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_DUMP = 0x300;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const EINTR = 4;
const DUMP_ATTEMPTS = 10;
const ONE = new Uint8Array(Int32Array.of(1).buffer);

/**
 * A netlink socket, bound to the network namespace in which it was opened wherever the thread goes later. Calls are
 * synchronous: the kernel does the work inside `send`, answers are there when it returns.
 */
export class NetlinkSocket implements Disposable {
  #fd: number;
  #sequence = 1;
  #buffer: Buffer | undefined;

  /** Opens a socket for `protocol` (0: rtnetlink) in the calling thread's network namespace. */
  constructor(protocol = 0) {
    this.#fd = check(libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), "socket", "AF_NETLINK");
    // Errors then carry the kernel's own sentence, without a copy of the request before it.
    libc().setsockopt(this.#fd, SOL_NETLINK, NETLINK_CAP_ACK, ONE, 4);
    libc().setsockopt(this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, ONE, 4);
  }

  /**
   * Sends all requests in one datagram and reads every answer. The kernel goes on after a request that failed; the first
   * failure is thrown then, with the others as clean-up failures, so a caller undoes the whole batch.
   */
  transact(requests: readonly NetlinkRequest[]): void {
    this.#transact(requests, requests.length);
  }

  /** As `transact`, between the marks (which the kernel does not answer) of a transaction: all of it happens or nothing. */
  transactBetween(begin: NetlinkRequest, requests: readonly NetlinkRequest[], end: NetlinkRequest): void {
    this.#transact([begin, ...requests, end], requests.length);
  }

  #transact(requests: readonly NetlinkRequest[], answers: number): void {
    if (requests.length === 0) return;
    const marked = answers < requests.length;
    const flagsOf = (at: number) => (marked && (at === 0 || at === requests.length - 1) ? 0 : NLM_F_ACK);
    const first = this.#send(requests.map((one, at) => ({ ...one, flags: one.flags | NLM_F_REQUEST | flagsOf(at) })));
    let failure: HavreError | undefined;
    for (let answered = 0; answered < answers; ) {
      for (const message of decodeMessages(this.#receive("acknowledgement"))) {
        const request = requests[message.sequence - first];
        if (!request || message.type !== NLMSG_ERROR) continue;
        answered++;
        const error = answerError(message, request.subject);
        if (!error) continue;
        if (failure) failure.cleanUpFailures.push(error);
        else failure = error;
      }
    }
    if (failure) throw failure;
  }

  /** All objects of a kind. Repeated when they changed under way, so that what comes back was true at one moment. */
  dump(request: NetlinkRequest): NetlinkMessage[] {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const found = this.#dumpOnce(request);
      if (found) return found;
    }
    throw new HavreError("unavailable", `${request.subject}: the list kept changing while it was read`);
  }

  /** One object. undefined when the kernel has none (`ENODEV`, `ENOENT`). */
  get(request: NetlinkRequest): NetlinkMessage | undefined {
    const first = this.#send([{ ...request, flags: request.flags | NLM_F_REQUEST }]);
    for (;;) {
      for (const message of decodeMessages(this.#receive(request.subject))) {
        if (message.sequence !== first) continue;
        if (message.type !== NLMSG_ERROR) return { ...message, body: Buffer.from(message.body) };
        const number = -message.body.readInt32LE(0);
        if (number === 19 || number === 2) return undefined;
        const error = answerError(message, request.subject);
        if (error) throw error;
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) libc().close(this.#fd);
    this.#fd = -1;
  }

  #dumpOnce(request: NetlinkRequest): NetlinkMessage[] | undefined {
    const first = this.#send([{ ...request, flags: request.flags | NLM_F_REQUEST | NLM_F_DUMP }]);
    const found: NetlinkMessage[] = [];
    let interrupted = false;
    for (;;) {
      for (const message of decodeMessages(this.#receive(request.subject))) {
        if (message.sequence !== first) continue;
        if (message.flags & NLM_F_DUMP_INTR) interrupted = true;
        if (message.type === NLMSG_DONE) return interrupted ? undefined : found;
        if (message.type === NLMSG_ERROR) {
          const error = answerError(message, request.subject);
          if (error) throw error;
          continue;
        }
        found.push({ ...message, body: Buffer.from(message.body) });
      }
    }
  }

  /** Returns the first sequence number. */
  #send(requests: readonly NetlinkRequest[]): number {
    const first = this.#sequence;
    this.#sequence += requests.length;
    const bytes = encodeRequests(requests, first);
    check(libc().send(this.#fd, bytes, bytes.byteLength, 0), "netlink send", requests[0]?.subject ?? "");
    return first;
  }

  #receive(subject: string): Buffer {
    // Allocated at first use, never while the thread is in a container's namespace.
    this.#buffer ??= Buffer.alloc(65536);
    for (;;) {
      // Never blocks: what is not there when send returned would never come.
      const length = Number(libc().recv(this.#fd, this.#buffer, this.#buffer.byteLength, MSG_DONTWAIT));
      if (length >= 0) return this.#buffer.subarray(0, length);
      const number = errno();
      if (number !== EINTR) throw systemError("netlink recv", subject, number);
    }
  }
}

/** The failure in an NLMSG_ERROR; undefined when it acknowledges. */
function answerError(message: NetlinkMessage, subject: string): HavreError | undefined {
  const number = -message.body.readInt32LE(0);
  if (number === 0) return undefined;
  const detail =
    message.flags & NLM_F_ACK_TLVS
      ? attributeText(parseAttributes(message.body, 20).get(NLMSGERR_ATTR_MSG))
      : undefined;
  const error = systemError("netlink", subject, number);
  if (detail === undefined) return error;
  return new HavreError(error.kind, `${error.message} (${detail})`, { cause: error.cause });
}
