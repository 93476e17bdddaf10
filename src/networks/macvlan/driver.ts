import { errnoOf, HavreError } from "../../base/mod.ts";
import {
  createMacvlan,
  createVlan,
  deleteLink,
  findLink,
  interfaceExists,
  type Link,
  type NetlinkSocket,
  type NetworkNamespace,
  setLink,
} from "../../kernel/mod.ts";
import type { Driver, Plugged, Segment, WantedInterface } from "../driver.ts";
import type { NetworkSpec, StoredNetwork } from "../model.ts";
import { configureInterface } from "../sandboxes.ts";
import { type MacvlanOptions, macvlanOptions } from "./options.ts";

/** Two names of one number. */
const UNSUPPORTED: readonly string[] = ["EOPNOTSUPP", "ENOTSUP"];

/** Networks that are the one an interface of the host is on. The host itself does not reach containers there: so the kernel has it. */
export class MacvlanDriver implements Driver {
  readonly pooled = false;
  readonly #socket: NetlinkSocket;
  readonly #owner: () => string;
  readonly #others: () => readonly StoredNetwork[];

  /**
   * @param socket a netlink socket in the host's namespace.
   * @param owner what tells this daemon's interfaces from others'.
   * @param others the networks there are.
   */
  constructor(socket: NetlinkSocket, owner: () => string, others: () => readonly StoredNetwork[]) {
    this.#socket = socket;
    this.#owner = owner;
    this.#others = others;
  }

  check(spec: NetworkSpec): void {
    const { parent } = macvlanOptions(spec);
    const other = this.#others().find(
      (one) => one.spec.driver === "macvlan" && macvlanOptions(one.spec).parent === parent,
    );
    if (!other) return;
    const text = `network ${other.id.slice(0, 12)} is already using parent interface ${parent}`;
    throw new HavreError("conflict", text, {
      hint: `That is network ${other.name}: give it more containers, or use a VLAN (${parent}.10)`,
    });
  }

  open(network: StoredNetwork): Segment {
    const options = macvlanOptions(network.spec);
    const alias = `havre ${this.#owner().slice(0, 12)} ${network.id}`;
    const parent = findLink(this.#socket, options.parent) ?? this.#makeParent(options, alias);
    if (parent.alias === alias) this.#socket.transact([setLink(parent.index, { up: true })]);
    return new MacvlanSegment(this.#socket, options, alias);
  }

  #makeParent({ parent, vlan }: MacvlanOptions, alias: string): Link {
    if (!vlan) {
      throw new HavreError("failed-precondition", `parent interface ${parent} was not found on the host`, {
        hint: "Networks of this host's interfaces are shown by `ip link`",
      });
    }
    const trunk = findLink(this.#socket, vlan.trunk);
    if (!trunk) {
      throw new HavreError("failed-precondition", `parent interface ${vlan.trunk} was not found on the host`);
    }
    try {
      this.#socket.transact([createVlan(parent, trunk.index, vlan.id), setLink(parent, { alias, up: true })]);
    } catch (error) {
      if (!UNSUPPORTED.includes(errnoOf(error) ?? "")) throw error;
      throw new HavreError("not-implemented", `This kernel has no VLANs: ${parent} cannot be made`, {
        cause: error,
        hint: "Load the module 8021q, or make the interface another way",
      });
    }
    const made = findLink(this.#socket, parent);
    if (!made) throw new HavreError("unavailable", `Interface ${parent} vanished while it was set up`);
    return made;
  }
}

class MacvlanSegment implements Segment {
  readonly #socket: NetlinkSocket;
  readonly #options: MacvlanOptions;
  readonly #alias: string;

  constructor(socket: NetlinkSocket, options: MacvlanOptions, alias: string) {
    this.#socket = socket;
    this.#options = options;
    this.#alias = alias;
  }

  plug(namespace: NetworkNamespace, inside: NetlinkSocket, { name, mac, addresses }: WantedInterface): Plugged {
    const { parent: parentName, mode } = this.#options;
    const parent = findLink(this.#socket, parentName);
    if (!parent)
      throw new HavreError("failed-precondition", `parent interface ${parentName} was not found on the host`);
    const { index } = parent;
    try {
      this.#socket.transact([createMacvlan({ name, parent: index, mode, mac, namespace: namespace.fd })]);
    } catch (error) {
      throw explained(error, parentName, mode);
    }
    try {
      inside.transact([setLink(name, { alias: this.#alias })]);
      configureInterface(namespace, inside, name, addresses);
      return { hostInterface: "" };
    } catch (error) {
      inside.transact([deleteLink(name)]);
      throw error;
    }
  }

  /** With the parent's carrier gone it would never be. */
  operational(): boolean {
    return true;
  }

  present(): boolean {
    return interfaceExists(this.#options.parent);
  }

  strays(): readonly [] {
    return [];
  }

  remove(): void {
    const parent = findLink(this.#socket, this.#options.parent);
    if (parent?.alias === this.#alias) this.#socket.transact([deleteLink(parent.index)]);
  }
}

function explained(error: unknown, parent: string, mode: string): unknown {
  const why: Readonly<Record<string, string>> = {
    EBUSY: `Interface ${parent} is in use in another way (a bridge has it, or a container in mode passthru)`,
    EADDRINUSE: `Another container on ${parent} has the MAC address`,
    EOPNOTSUPP: "This kernel has no macvlan",
    ENOTSUP: "This kernel has no macvlan",
    EINVAL: `Interface ${parent} cannot carry macvlan in mode ${mode}`,
  };
  const text = why[errnoOf(error) ?? ""];
  return text === undefined ? error : new HavreError("failed-precondition", text, { cause: error });
}
