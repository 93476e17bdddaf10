import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { HavreError } from "../base/mod.ts";
import {
  createUserNamespace,
  type NetworkNamespace,
  networkNamespaceIn,
  openUserNamespace,
  type UserNamespace,
} from "../kernel/mod.ts";
import type { ReadTransaction, Store, WriteTransaction } from "../store/mod.ts";
import { findFree, type IdRange, type IdSpace, idRangeKind, mapOf, type OwnIds } from "./id-range.ts";
import { parseUserns } from "./mode.ts";

/** What a container asks of ids. */
export interface IdsRequest {
  /** As `--userns`. */
  readonly mode: string;
  /** Containers whose network, processes or memory it joins. */
  readonly joins: readonly string[];
}

/** Ids as a process that starts has them; what is open is closed by the one who asked. */
export interface Owners extends Disposable {
  readonly user: UserNamespace;
  /** Absent: it joins another's. */
  readonly network?: NetworkNamespace;
}

export interface IdentitiesOptions {
  readonly store: Store;
  /** The first process of a container that runs. */
  readonly pidOf: (tx: ReadTransaction, container: string) => number | undefined;
  /** Mode of containers that name none: `--userns` words. */
  readonly usual: string;
  /** Where `auto` takes ids from; asked when they are first needed. */
  readonly space: () => IdSpace;
  /** Where in the space to begin: engines of one host keep out of each other's way. */
  readonly begin: number;
  /** Folders below which trees and files are shown to containers: their root must be able to pass to them. */
  readonly folders: readonly string[];
  /** Everybody has the same ids: dockerd's `--userns-remap=USER`. */
  readonly shared: boolean;
}

/** Which ids containers have. */
export class Identities {
  readonly #options: IdentitiesOptions;

  constructor(options: IdentitiesOptions) {
    this.#options = options;
  }

  /** Whether a container that asks for nothing has ids of its own. */
  get usual(): "host" | "own" {
    return this.#options.usual === "host" ? "host" : "own";
  }

  /** The container's range by its wish, in the transaction that records the container. `conflict` for ids that another has. */
  allocate(tx: WriteTransaction, id: string, request: IdsRequest): void {
    const range = this.#rangeFor(tx, id, request);
    if (range) tx.put(idRangeKind, range);
  }

  /** Gives it back, in the transaction that takes the container off the record. */
  free(tx: WriteTransaction, id: string): void {
    tx.delete(idRangeKind, id);
  }

  /** The ids a container has on the host; undefined: the host's own. */
  of(id: string): OwnIds | undefined {
    return this.#options.store.view((tx) => ownIds(tx, id));
  }

  /** What the container's files are to be shown as; to be disposed. undefined: as they are. */
  ownersOf(id: string): UserNamespace | undefined {
    const ids = this.of(id);
    if (!ids) return undefined;
    const { user, network } = createUserNamespace(mapOf(ids));
    network[Symbol.dispose]();
    return user;
  }

  /**
   * Namespaces for the container's first process: new ones, or those of the one it joins, which must run; then a network's
   * only if it wants one of its own. `failed-precondition` where the host does not let it be.
   */
  async open(id: string, ownNetwork: boolean): Promise<Owners | undefined> {
    const range = this.#options.store.view((tx) => tx.get(idRangeKind, id));
    if (!range) return undefined;
    for (const folder of this.#options.folders) requirePassage(folder);
    if (range.kind === "own") {
      const { user, network } = createUserNamespace(mapOf(range));
      const close = () => {
        user[Symbol.dispose]();
        network[Symbol.dispose]();
      };
      return { user, network, [Symbol.dispose]: close };
    }
    const ids = this.of(id);
    const pid = this.#options.store.view((tx) => this.#options.pidOf(tx, range.container));
    if (!ids || pid === undefined)
      throw new HavreError(
        "conflict",
        `cannot join the user namespace of container ${range.container}: it does not run`,
      );
    const user = openUserNamespace(`/proc/${pid}/ns/user`, mapOf(ids));
    try {
      const network = ownNetwork ? { network: await networkNamespaceIn(user) } : {};
      const close = () => {
        user[Symbol.dispose]();
        network.network?.[Symbol.dispose]();
      };
      return { user, ...network, [Symbol.dispose]: close };
    } catch (error) {
      user[Symbol.dispose]();
      throw error;
    }
  }

  #rangeFor(tx: ReadTransaction, id: string, request: IdsRequest): IdRange | undefined {
    const mode = parseUserns(request.mode || this.#options.usual);
    if (!mode || mode.kind === "host") return undefined;
    const joined = this.#joined(tx, request);
    if (joined !== undefined) return joined === "host" ? undefined : { id, kind: "joined", container: joined };
    const taken = tx.list(idRangeKind).filter((range): range is OwnIds => range.kind === "own");
    if (mode.kind === "range") {
      const asked = { id, kind: "own", uid: mode.first, gid: mode.first, size: mode.size } as const;
      const other = taken.find((one) => overlap(one, asked));
      if (other)
        throw new HavreError("conflict", `User ids ${mode.first}:${mode.size} are those of container ${other.id}`);
      return asked;
    }
    const space = this.#options.space();
    if (this.#options.shared) return { id, kind: "own", uid: space.uid, gid: space.gid, size: space.count };
    const at = findFree(space, mode.size, taken, this.#options.begin);
    return { id, kind: "own", uid: space.uid + at, gid: space.gid + at, size: mode.size };
  }

  /**
   * The container whose ids one must have that joins others' namespaces; `host`: theirs are the host's; undefined: it joins
   * none. A namespace belongs to one set of ids: with any other it would be closed to the container's root.
   */
  #joined(tx: ReadTransaction, { mode, joins }: IdsRequest): string | undefined {
    const whose = new Set(joins.map((donor) => owner(tx, donor)));
    const [first, ...others] = whose;
    if (others.length > 0)
      throw new HavreError("invalid-argument", "cannot join namespaces of containers with different user ids");
    if (first === "host" && mode !== "")
      throw new HavreError(
        "invalid-argument",
        "cannot join the namespaces of a container that has the host's user ids",
        {
          hint: "Leave --userns out, or start the other container with --userns=auto",
        },
      );
    return first;
  }
}

/** A container's root is nobody on the host: folders that are closed to others are closed to it. */
function requirePassage(folder: string): void {
  for (let path = resolve(folder); ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0)
      throw new HavreError("failed-precondition", `${path} is closed to containers with their own user ids`, {
        hint: `chmod o+x ${path}, or start the container with --userns=host`,
      });
    if (path === "/") return;
  }
}

/** Whose ids a container has: its own, those of the one it joined, or the host's. */
function owner(tx: ReadTransaction, id: string): string {
  const range = tx.get(idRangeKind, id);
  if (!range) return "host";
  return range.kind === "own" ? id : owner(tx, range.container);
}

function ownIds(tx: ReadTransaction, id: string): OwnIds | undefined {
  const range = tx.get(idRangeKind, id);
  if (!range || range.kind === "own") return range;
  return ownIds(tx, range.container);
}

function overlap(one: OwnIds, other: OwnIds): boolean {
  const meets = (a: number, b: number) => a < b + other.size && b < a + one.size;
  return meets(one.uid, other.uid) || meets(one.gid, other.gid);
}
