import { HavreError } from "../base/mod.ts";
import { check, cstring, errno, libcSymbols, systemError } from "./libc.ts";
import { NetlinkSocket } from "./netlink.ts";

const libc = libcSymbols({
  open: { args: ["ptr", "int"], returns: "int" },
  write: { args: ["int", "ptr", "usize"], returns: "i64" },
  close: { args: ["int"], returns: "int" },
  unshare: { args: ["int"], returns: "int" },
  setns: { args: ["int", "int"], returns: "int" },
  gettid: { args: [], returns: "int" },
});

const CLONE_NEWNET = 0x40000000;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_CLOEXEC = 0o2000000;
const THREAD_NAMESPACE = cstring("/proc/thread-self/ns/net");

/** A network namespace held by a descriptor: it lives while the descriptor, a process or a socket is in it. */
export class NetworkNamespace implements Disposable {
  #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get fd(): number {
    if (this.#fd < 0) throw new HavreError("internal", "The network namespace was closed already");
    return this.#fd;
  }

  /** A path by which any process of this host can open it while this process holds it. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  /** Lets go. When nothing else is in it the kernel deletes it and its interfaces, on its own time: this returns at once. */
  [Symbol.dispose](): void {
    if (this.#fd >= 0) libc().close(this.#fd);
    this.#fd = -1;
  }
}

/** The calling thread's namespace, or the one at `path` (`/proc/PID/ns/net`). */
export function openNetworkNamespace(path?: string): NetworkNamespace {
  const bytes = path === undefined ? THREAD_NAMESPACE : cstring(path);
  return new NetworkNamespace(check(libc().open(bytes, O_RDONLY | O_CLOEXEC), "open", path ?? "network namespace"));
}

/**
 * A new, empty network namespace (its loopback is down) with a netlink socket inside.
 *
 * The thread is in the new namespace between `unshare` and `setns` only, without allocating: a helper thread that the
 * JavaScript engine starts is born in the namespace of the thread that starts it.
 */
export function createNetworkNamespace(): { readonly namespace: NetworkNamespace; readonly socket: NetlinkSocket } {
  requireMainThread();
  using home = openNetworkNamespace();
  const homeFd = home.fd;
  check(libc().unshare(CLONE_NEWNET), "unshare", "network namespace");
  const fd = libc().open(THREAD_NAMESPACE, O_RDONLY | O_CLOEXEC);
  const failed = fd < 0 ? errno() : 0;
  let socket: NetlinkSocket | undefined;
  try {
    if (fd >= 0) socket = new NetlinkSocket();
  } finally {
    goHome(homeFd);
    if (!socket && fd >= 0) libc().close(fd);
  }
  if (!socket) throw systemError("open", "new network namespace", failed);
  return { namespace: new NetworkNamespace(fd), socket };
}

/**
 * Runs `work`, which must be synchronous and short, with the calling thread inside a namespace: to open sockets there
 * (they stay there) or to write its /proc/sys/net.
 */
export function inNetworkNamespace<T>(namespace: NetworkNamespace, work: () => T): T {
  requireMainThread();
  using home = openNetworkNamespace();
  const homeFd = home.fd;
  check(libc().setns(namespace.fd, CLONE_NEWNET), "setns", "network namespace");
  try {
    return work();
  } finally {
    goHome(homeFd);
  }
}

/** Writes a setting below /proc/sys (`net/ipv6/conf/eth0/disable_ipv6`) of the thread's namespace; false when the kernel has no such setting. */
export function writeSysctl(path: string, value: string): boolean {
  const fd = libc().open(cstring(`/proc/sys/${path}`), O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    const number = errno();
    if (number === 2) return false;
    throw systemError("open", `/proc/sys/${path}`, number);
  }
  const bytes = Buffer.from(value);
  const written = Number(libc().write(fd, bytes, bytes.byteLength));
  const number = errno();
  libc().close(fd);
  if (written < 0) throw systemError("write", `/proc/sys/${path}`, number);
  return true;
}

/** Threads of the engine's pool inherit the namespace of the thread that starts them; only the main thread starts none by surprise. */
function requireMainThread(): void {
  if (libc().gettid() !== process.pid) {
    throw new HavreError("internal", "Network namespaces can be entered from the main thread only");
  }
}

/** A daemon left inside a container's network would do everything from there: worse than dying. */
function goHome(home: number): void {
  if (libc().setns(home, CLONE_NEWNET) === 0) return;
  process.stderr.write("Could not leave a container's network namespace: aborting\n");
  process.abort();
}
