import { ptr } from "bun:ffi";
import { errno, libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({ ioctl: { args: ["int", "u64", "ptr"], returns: "int" } });

// seccomp_unotify(2); the sizes stand in the numbers: 80, 24 and 8 bytes.
const NOTIF_RECV = 0xc0502100n;
const NOTIF_SEND = 0xc0182101n;
const NOTIF_SIZE = 80;
const RESPONSE_SIZE = 24;
const FLAG_CONTINUE = 1;
const ENOENT = 2;
const EINTR = 4;

/** A system call that a filter asks about; its thread waits until it is answered. */
export interface SystemCall {
  readonly id: bigint;
  /** The thread, as this process's pid namespace numbers it; 0: it is not seen from here. */
  readonly thread: number;
  readonly number: number;
  /** AUDIT_ARCH_…, audit.h. */
  readonly architecture: number;
  readonly args: readonly bigint[];
}

/** The asking side of a filter with SECCOMP_RET_USER_NOTIF: a descriptor that the runtime hands over. */
export class SeccompListener {
  readonly fd: number;
  readonly #notification = Buffer.alloc(NOTIF_SIZE);
  readonly #response = Buffer.alloc(RESPONSE_SIZE);

  constructor(fd: number) {
    this.fd = fd;
  }

  /** The next call; blocks until there is one. undefined: who asked is gone. */
  receive(): SystemCall | undefined {
    const bytes = this.#notification;
    // The kernel wants zeros (EINVAL otherwise).
    bytes.fill(0);
    if (libc().ioctl(this.fd, NOTIF_RECV, ptr(bytes)) < 0) {
      const number = errno();
      if (number === ENOENT || number === EINTR) return undefined;
      throw systemError("ioctl(SECCOMP_IOCTL_NOTIF_RECV)", `descriptor ${this.fd}`, number);
    }
    return {
      id: bytes.readBigUInt64LE(0),
      thread: bytes.readUInt32LE(8),
      number: bytes.readInt32LE(16),
      architecture: bytes.readUInt32LE(20),
      args: [32, 40, 48, 56, 64, 72].map((at) => bytes.readBigUInt64LE(at)),
    };
  }

  /** Lets the kernel do the call as it was asked. */
  allow({ id }: SystemCall): void {
    this.#answer(id, 0, FLAG_CONTINUE);
  }

  /** The call fails with this errno and is not made. */
  refuse({ id }: SystemCall, error: number): void {
    this.#answer(id, -error, 0);
  }

  #answer(id: bigint, error: number, flags: number): void {
    const bytes = this.#response;
    bytes.fill(0);
    bytes.writeBigUInt64LE(id, 0);
    bytes.writeInt32LE(error, 16);
    bytes.writeUInt32LE(flags, 20);
    if (libc().ioctl(this.fd, NOTIF_SEND, ptr(bytes)) === 0) return;
    const number = errno();
    // ENOENT: it was killed, or interrupted by a signal and will ask again.
    if (number !== ENOENT && number !== EINTR)
      throw systemError("ioctl(SECCOMP_IOCTL_NOTIF_SEND)", `descriptor ${this.fd}`, number);
  }
}
