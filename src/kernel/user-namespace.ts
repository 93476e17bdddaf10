import { type Pointer, ptr } from "bun:ffi";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { errnoOf, HavreError } from "../base/mod.ts";
import { check, cstring, libcSymbols, systemError } from "./libc.ts";
import { NetworkNamespace } from "./netns.ts";

const libc = libcSymbols({
  clone: { args: ["ptr", "ptr", "int", "ptr"], returns: "int" },
  dlsym: { args: ["ptr", "ptr"], returns: "ptr" },
  kill: { args: ["int", "int"], returns: "int" },
  waitpid: { args: ["int", "ptr", "int"], returns: "int" },
  open: { args: ["ptr", "int"], returns: "int" },
  close: { args: ["int"], returns: "int" },
});

const CLONE_VM = 0x00000100;
const CLONE_NEWUSER = 0x10000000;
const CLONE_NEWNET = 0x40000000;
const WALL = 0x40000000;
const WNOHANG = 1;
const REAP_MS = 20;
const SIGKILL = 9;
const O_CLOEXEC = 0o2000000;
/** Bytes; the process on it makes one system call. */
const STACK = 64 * 1024;

/** A run of ids inside a user namespace and where it begins outside, as a line of /proc/PID/uid_map (user_namespaces(7)). */
export interface IdRun {
  readonly inside: number;
  readonly outside: number;
  readonly size: number;
}

export interface IdMap {
  readonly uids: readonly IdRun[];
  readonly gids: readonly IdRun[];
}

/** A user namespace held by a descriptor. */
export class UserNamespace implements Disposable {
  readonly ids: IdMap;
  #fd: number;

  constructor(fd: number, ids: IdMap) {
    this.#fd = fd;
    this.ids = ids;
  }

  get fd(): number {
    if (this.#fd < 0) throw new HavreError("internal", "The user namespace was closed already");
    return this.#fd;
  }

  /** The ids of the host that its root has. */
  get root(): { readonly uid: number; readonly gid: number } {
    const first = (runs: readonly IdRun[]) => runs.find(({ inside }) => inside === 0)?.outside;
    const [uid, gid] = [first(this.ids.uids), first(this.ids.gids)];
    if (uid === undefined || gid === undefined) throw new HavreError("internal", "A user namespace without a root");
    return { uid, gid };
  }

  /** A path by which any process of this host can open it while this process holds it. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) libc().close(this.#fd);
    this.#fd = -1;
  }
}

export interface NewNamespaces {
  readonly user: UserNamespace;
  /** Owned by the user namespace: who is root in that has power over this. Its loopback is down. */
  readonly network: NetworkNamespace;
}

/**
 * A user namespace with `ids`, and a network namespace that belongs to it; under a millisecond.
 *
 * A process with several threads cannot enter a user namespace, so the kernel makes both with a child. The child shares
 * this process's memory, which saves copying its page tables, and runs nothing of it: it begins in libc's `pause`, on a
 * stack of its own, and is killed once its namespaces are open here. `resource-exhausted` when there are too many.
 */
export function createUserNamespace(ids: IdMap): NewNamespaces {
  const stack = new Uint8Array(STACK);
  const top = ptr(stack) + STACK;
  const pause = libc().dlsym(null, cstring("pause"));
  const child = libc().clone(pause, (top - (top % 16)) as Pointer, CLONE_VM | CLONE_NEWUSER | CLONE_NEWNET, null);
  if (child < 0) throw explained(systemError("clone", "user namespace"));
  try {
    writeFileSync(`/proc/${child}/uid_map`, encode(ids.uids));
    writeFileSync(`/proc/${child}/gid_map`, encode(ids.gids));
    const user = new UserNamespace(open(`/proc/${child}/ns/user`), ids);
    try {
      return { user, network: new NetworkNamespace(open(`/proc/${child}/ns/net`)) };
    } catch (error) {
      user[Symbol.dispose]();
      throw error;
    }
  } finally {
    libc().kill(child, SIGKILL);
    reapLater(child, stack);
  }
}

/** A busy host takes its time to end a process: nobody waits for that. Until it is gone its stack must not be collected. */
function reapLater(child: number, stack: Uint8Array): void {
  const timer = setTimeout(() => {
    const gone = libc().waitpid(child, null, WALL | WNOHANG) !== 0;
    if (gone) stack[0] = 0;
    else reapLater(child, stack);
  }, REAP_MS);
  timer.unref();
}

/**
 * A network namespace that belongs to a user namespace there is already. Entering that takes a process of its own: two
 * programs of util-linux, about three milliseconds.
 */
export async function networkNamespaceIn(user: UserNamespace): Promise<NetworkNamespace> {
  const inside = ["unshare", "--net", "sh", "-c", "echo; exec cat"];
  const child = spawn("nsenter", [`--user=${user.path}`, ...inside], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const said: Buffer[] = [];
  child.stderr.on("data", (bytes: Buffer) => said.push(bytes));
  try {
    await new Promise<void>((ready, failed) => {
      child.stdout.once("data", () => ready());
      child.once("error", failed);
      child.once("close", () => failed(new Error(Buffer.concat(said).toString().trim())));
    });
    return new NetworkNamespace(open(`/proc/${child.pid}/ns/net`));
  } catch (error) {
    throw new HavreError("unavailable", "No network namespace could be made in a user namespace", { cause: error });
  } finally {
    child.stdin.destroy();
    child.kill("SIGKILL");
  }
}

/** The one at `path` (`/proc/PID/ns/user`), which is known to have `ids`. */
export function openUserNamespace(path: string, ids: IdMap): UserNamespace {
  return new UserNamespace(open(path), ids);
}

function open(path: string): number {
  return check(libc().open(cstring(path), O_CLOEXEC), "open", path);
}

function encode(runs: readonly IdRun[]): string {
  return runs.map(({ inside, outside, size }) => `${inside} ${outside} ${size}\n`).join("");
}

function explained(failure: HavreError): HavreError {
  if (!["ENOSPC", "EUSERS", "EPERM", "EINVAL"].includes(errnoOf(failure) ?? "")) return failure;
  return new HavreError("failed-precondition", "This host allows no further user namespace", {
    cause: failure,
    hint: "Look at the sysctls user.max_user_namespaces and kernel.unprivileged_userns_clone, and whether the kernel has CONFIG_USER_NS",
  });
}
