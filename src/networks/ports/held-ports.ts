import type { Logger } from "../../base/mod.ts";
import { familyOf } from "./addresses.ts";
import type { HeldPort } from "./host-ports.ts";
import type { PortTarget, PublishedPort } from "./model.ts";
import { startRelay } from "./relay.ts";

/** What containers hold of the host: a bound socket for each port, with a relay behind where the kernel cannot translate. */
export class HeldPorts {
  readonly #log: Logger;
  /** By container, then by port. */
  readonly #held = new Map<string, Map<string, Disposable>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param target asked for each connection anew: a container may get another address while it runs. */
  add(id: string, port: PublishedPort, held: HeldPort, target: () => PortTarget | undefined): void {
    const all = this.#held.get(id) ?? new Map<string, Disposable>();
    this.#held.set(id, all.set(keyOf(port), this.#serve(port, held, target)));
  }

  release(id: string, ports: readonly PublishedPort[]): void {
    const all = this.#held.get(id);
    for (const key of ports.map(keyOf)) {
      all?.get(key)?.[Symbol.dispose]();
      all?.delete(key);
    }
    if (all?.size === 0) this.#held.delete(id);
  }

  /** All ports of one container, or of all. */
  releaseAll(id?: string): void {
    for (const one of id === undefined ? [...this.#held.keys()] : [id]) {
      for (const held of this.#held.get(one)?.values() ?? []) held[Symbol.dispose]();
      this.#held.delete(one);
    }
  }

  #serve(port: PublishedPort, held: HeldPort, target: () => PortTarget | undefined): Disposable {
    if (familyOf(port.hostAddress) === "ip") return held;
    const address = () => {
      const { ipAddress = "", ipv6Address = "" } = target() ?? {};
      return { address: ipAddress || ipv6Address, port: port.containerPort };
    };
    const relay = startRelay(port.protocol, held.socket, address, this.#log);
    return {
      [Symbol.dispose]: () => {
        relay[Symbol.dispose]();
        held[Symbol.dispose]();
      },
    };
  }
}

function keyOf({ protocol, hostAddress, hostPort }: PublishedPort): string {
  return `${protocol} ${hostAddress} ${hostPort}`;
}
