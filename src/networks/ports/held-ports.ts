import type { Logger } from "../../base/mod.ts";
import { familyOf } from "./addresses.ts";
import type { HeldPort } from "./host-ports.ts";
import type { PortTarget, PublishedPort } from "./model.ts";
import { startRelay } from "./relay.ts";

/** One held port: who has it now, and what is behind. */
interface Held extends Disposable {
  port: PublishedPort;
  target: () => PortTarget | undefined;
}

/** What containers hold of the host: a bound socket for each port, with a relay behind where the kernel cannot translate. */
export class HeldPorts {
  readonly #log: Logger;
  /** By container, then by port. */
  readonly #held = new Map<string, Map<string, Held>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param target asked for each connection anew: a container may get another address while it runs. */
  add(id: string, port: PublishedPort, held: HeldPort, target: () => PortTarget | undefined): void {
    this.#put(id, port, this.#serve(port, held, target));
  }

  /** The socket stays bound; what it carries leads to another container. Connections there are go on to the first. */
  move(from: string, to: string, port: PublishedPort, target: () => PortTarget | undefined): void {
    const held = this.#held.get(from)?.get(keyOf(port));
    if (!held) return;
    this.#forget(from, port);
    held.port = port;
    held.target = target;
    this.#put(to, port, held);
  }

  #put(id: string, port: PublishedPort, held: Held): void {
    const all = this.#held.get(id) ?? new Map<string, Held>();
    this.#held.set(id, all.set(keyOf(port), held));
  }

  #forget(id: string, port: PublishedPort): void {
    const all = this.#held.get(id);
    all?.delete(keyOf(port));
    if (all?.size === 0) this.#held.delete(id);
  }

  release(id: string, ports: readonly PublishedPort[]): void {
    for (const port of ports) {
      this.#held.get(id)?.get(keyOf(port))?.[Symbol.dispose]();
      this.#forget(id, port);
    }
  }

  /** All ports of one container, or of all. */
  releaseAll(id?: string): void {
    for (const one of id === undefined ? [...this.#held.keys()] : [id]) {
      for (const held of this.#held.get(one)?.values() ?? []) held[Symbol.dispose]();
      this.#held.delete(one);
    }
  }

  #serve(port: PublishedPort, held: HeldPort, target: () => PortTarget | undefined): Held {
    if (familyOf(port.hostAddress) === "ip") return { port, target, [Symbol.dispose]: () => held[Symbol.dispose]() };
    const address = () => {
      const { ipAddress = "", ipv6Address = "" } = served.target() ?? {};
      return { address: ipAddress || ipv6Address, port: served.port.containerPort };
    };
    const relay = startRelay(port.protocol, held.socket, address, this.#log);
    const served: Held = {
      port,
      target,
      [Symbol.dispose]: () => {
        relay[Symbol.dispose]();
        held[Symbol.dispose]();
      },
    };
    return served;
  }
}

function keyOf({ protocol, hostAddress, hostPort }: PublishedPort): string {
  return `${protocol} ${hostAddress} ${hostPort}`;
}
