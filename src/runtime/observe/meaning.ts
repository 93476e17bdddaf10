import { statSync } from "node:fs";
import { socketType } from "../../kernel/mod.ts";
import type { AttemptKind } from "../../policy/mod.ts";
import type { ThreadMemory } from "./memory.ts";

/** What a call is about. */
export interface Meaning {
  readonly kind: AttemptKind;
  readonly target?: string;
  /** Told only when it failed, or a capability decided. */
  readonly minor?: true;
}

type Args = readonly bigint[];
type Reader = (memory: ThreadMemory, args: Args, thread: number) => Meaning | undefined;

const O_ACCMODE = 0o3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_TYPE = 0xf;
const KEEPS = 0xffffffff;
const ADDRESS_LIMIT = 128;

const at = (args: Args, index: number): bigint => args[index] ?? 0n;
const low = (args: Args, index: number): number => Number(BigInt.asUintN(32, at(args, index)));

/** A call that changes what is at a path: the indices of its folder's descriptor, if it has one, and of the path. */
const changes =
  (path: number, folder?: number): Reader =>
  (memory, args) => ({
    kind: "write",
    target: memory.path(at(args, path), folder === undefined ? undefined : at(args, folder)),
  });

const changesDescriptor: Reader = (memory, args) => ({ kind: "write", target: memory.folder(at(args, 0)) });

function opened(_memory: ThreadMemory, path: string, flags: number, thread: number): Meaning {
  const writes = (flags & O_ACCMODE) !== 0 || (flags & (O_CREAT | O_TRUNC)) !== 0;
  if (path.startsWith("/dev/") && isDevice(thread, path)) return { kind: "device", target: path };
  return writes ? { kind: "write", target: path } : { kind: "read", target: path, minor: true };
}

function isDevice(thread: number, path: string): boolean {
  const stat = statSync(`/proc/${thread}/root${path}`, { throwIfNoEntry: false });
  return stat !== undefined && (stat.isCharacterDevice() || stat.isBlockDevice());
}

const owner =
  (path: number, ids: number, folder?: number): Reader =>
  (memory, args) => ({
    kind: "owner",
    target: `${memory.path(at(args, path), folder === undefined ? undefined : at(args, folder))} ${idsOf(args, ids)}`,
  });

/** `uid:gid`; empty where it stays as it is. */
function idsOf(args: Args, first: number): string {
  return [first, first + 1].map((index) => (low(args, index) === KEEPS ? "" : String(low(args, index)))).join(":");
}

const becomes =
  (what: "user" | "group", count: number): Reader =>
  (_memory, args) => ({
    kind: "user",
    target: `${what} ${[...new Set(Array.from({ length: count }, (_, index) => low(args, index)))].filter((id) => id !== KEEPS).join(" ")}`,
  });

const address =
  (kind: "connect" | "bind", pointer: number, length: number): Reader =>
  (memory, args, thread) => {
    const size = Math.min(low(args, length), ADDRESS_LIMIT);
    if (at(args, pointer) === 0n || size < 2) return undefined;
    const text = addressText(memory.bytes(at(args, pointer), size), at(args, 0), thread);
    return text === undefined ? undefined : { kind, target: text };
  };

function addressText(bytes: Buffer, descriptor: bigint, thread: number): string | undefined {
  const family = bytes.readUInt16LE(0);
  if (family === AF_UNIX) {
    const path = bytes.toString("utf8", 2).replace(/\0.*$/s, "");
    return path === "" ? undefined : `unix ${path}`;
  }
  if (family === AF_INET && bytes.length >= 8)
    return `${protocolOf(descriptor, thread)} ${[...bytes.subarray(4, 8)].join(".")}:${bytes.readUInt16BE(2)}`;
  if (family === AF_INET6 && bytes.length >= 24) {
    const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(8 + index * 2).toString(16)).join(":");
    const host = new URL(`http://[${groups}]/`).hostname;
    const mapped = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(host);
    const plain = mapped
      ? [mapped[1], mapped[2]]
          .flatMap((part) => [Number.parseInt(part ?? "0", 16) >> 8, Number.parseInt(part ?? "0", 16) & 255])
          .join(".")
      : host;
    return `${protocolOf(descriptor, thread)} ${plain}:${bytes.readUInt16BE(2)}`;
  }
  return undefined;
}

function protocolOf(descriptor: bigint, thread: number): string {
  return socketType(thread, Number(BigInt.asUintN(32, descriptor))) === "packets" ? "udp" : "tcp";
}

const message: Reader = (memory, args, thread) => {
  const header = memory.bytes(at(args, 1), 16);
  if (header.length < 12) return undefined;
  const name = header.readBigUInt64LE(0);
  const size = Math.min(header.readUInt32LE(8), ADDRESS_LIMIT);
  if (name === 0n || size < 2) return undefined;
  const text = addressText(memory.bytes(name, size), at(args, 0), thread);
  return text === undefined ? undefined : { kind: "connect", target: text };
};

const socket: Reader = (_memory, args) => {
  const raw =
    low(args, 0) === AF_PACKET ||
    ([AF_INET, AF_INET6].includes(low(args, 0)) && (low(args, 1) & SOCK_TYPE) === SOCK_RAW);
  return raw ? { kind: "raw-socket", target: low(args, 0) === AF_PACKET ? "packets" : "IP" } : undefined;
};

const READERS: Readonly<Record<string, Reader>> = {
  open: (memory, args, thread) => opened(memory, memory.path(at(args, 0)), low(args, 1), thread),
  openat: (memory, args, thread) => opened(memory, memory.path(at(args, 1), at(args, 0)), low(args, 2), thread),
  openat2: (memory, args, thread) =>
    opened(memory, memory.path(at(args, 1), at(args, 0)), memory.bytes(at(args, 2), 8).readUInt32LE(0), thread),
  creat: changes(0),
  mkdir: changes(0),
  mkdirat: changes(1, 0),
  rmdir: changes(0),
  unlink: changes(0),
  unlinkat: changes(1, 0),
  rename: changes(1),
  renameat: changes(3, 2),
  renameat2: changes(3, 2),
  link: changes(1),
  linkat: changes(3, 2),
  symlink: changes(1),
  symlinkat: changes(2, 1),
  mknod: changes(0),
  mknodat: changes(1, 0),
  truncate: changes(0),
  chmod: changes(0),
  fchmod: changesDescriptor,
  fchmodat: changes(1, 0),
  fchmodat2: changes(1, 0),
  utime: changes(0),
  utimes: changes(0),
  futimesat: changes(1, 0),
  setxattr: changes(0),
  lsetxattr: changes(0),
  removexattr: changes(0),
  utimensat: (memory, args) =>
    at(args, 1) === 0n ? changesDescriptor(memory, args, 0) : changes(1, 0)(memory, args, 0),
  chown: owner(0, 1),
  lchown: owner(0, 1),
  fchownat: owner(1, 2, 0),
  fchown: (memory, args) => ({ kind: "owner", target: `${memory.folder(at(args, 0))} ${idsOf(args, 1)}` }),
  setuid: becomes("user", 1),
  setreuid: becomes("user", 2),
  setresuid: becomes("user", 3),
  setgid: becomes("group", 1),
  setregid: becomes("group", 2),
  setresgid: becomes("group", 3),
  setgroups: (memory, args) => {
    const count = Math.min(low(args, 0), 64);
    const list = memory.bytes(at(args, 1), count * 4);
    return {
      kind: "user",
      target:
        `groups ${Array.from({ length: Math.floor(list.length / 4) }, (_, index) => list.readUInt32LE(index * 4)).join(" ")}`.trimEnd(),
    };
  },
  connect: address("connect", 1, 2),
  sendto: address("connect", 4, 5),
  sendmsg: message,
  // An array of messages that begin as one does.
  sendmmsg: message,
  bind: address("bind", 1, 2),
  socket,
};

/** What a call that waits is about; a call that names nothing of interest is `minor`. */
export function meaningOf(name: string, memory: ThreadMemory, args: Args, thread: number): Meaning {
  return READERS[name]?.(memory, args, thread) ?? { kind: "call", minor: true };
}
