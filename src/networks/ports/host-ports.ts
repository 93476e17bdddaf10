import { readFileSync } from "node:fs";
import { errnoOf, HavreError } from "../../base/mod.ts";
import { bindPort, findPortHolders, type PortProtocol, type PortSocket } from "../../kernel/mod.ts";
import { addressBytes, parseAddress } from "../ip.ts";
import { ANY_IPV4, ANY_IPV6, familyOf, hasIpv6, isAny } from "./addresses.ts";
import type { PortRequest } from "./model.ts";

/** A host port that a container has, by the container's name. */
export interface Holding {
  readonly protocol: PortProtocol;
  readonly address: string;
  readonly port: number;
  readonly holder: string;
}

/** A port that is held from here on: no process of the host can bind it. */
export interface HeldPort extends Disposable {
  readonly address: string;
  readonly port: number;
  readonly socket: PortSocket;
}

/** Gives out host ports: each one is really bound, so the kernel decides what is free, for containers and processes alike. */
export class HostPorts {
  readonly #holdings = new Map<HeldPort, Holding>();
  /** The port after which the next choice among any begins, by protocol. */
  readonly #last = new Map<PortProtocol, number>();

  /**
   * Holds the host port that `request` asks for, on all of its addresses. Docker's texts, and who is in the way:
   * `failed-precondition` for a port or address that cannot be had, `resource-exhausted` when no port of a range is free.
   * @param preferred where any port will do: the first to try.
   */
  hold(request: PortRequest, holder: string, preferred?: number): readonly HeldPort[] {
    const { hostPorts, protocol } = request;
    if (hostPorts && hostPorts[0] === hostPorts[1]) return this.#holdAll(request, hostPorts[0], holder);
    for (const port of this.#candidates(request, preferred)) {
      try {
        const held = this.#holdAll(request, port, holder);
        if (!hostPorts && port !== preferred) this.#last.set(protocol, port);
        return held;
      } catch (error) {
        if (errnoOf(error) !== "EADDRINUSE" && errnoOf(error) !== "EACCES") throw error;
      }
    }
    throw new HavreError("resource-exhausted", "all ports are allocated");
  }

  /** Holds a port that a container has already, after a start of the daemon. */
  resume(protocol: PortProtocol, address: string, port: number, holder: string): HeldPort {
    return this.#holdOne(protocol, address, port, holder);
  }

  /** The port of all addresses, or of none. */
  #holdAll({ protocol, hostAddress }: PortRequest, port: number, holder: string): readonly HeldPort[] {
    const held: HeldPort[] = [];
    try {
      for (const address of hostAddress === "" ? everyAddress() : [hostAddress]) {
        held.push(this.#holdOne(protocol, address, port, holder));
      }
      return held;
    } catch (error) {
      for (const one of held) one[Symbol.dispose]();
      throw error;
    }
  }

  #holdOne(protocol: PortProtocol, address: string, port: number, holder: string): HeldPort {
    const socket = this.#bind(protocol, address, port);
    const held: HeldPort = {
      address,
      port,
      socket,
      [Symbol.dispose]: () => {
        this.#holdings.delete(held);
        socket[Symbol.dispose]();
      },
    };
    this.#holdings.set(held, { protocol, address, port, holder });
    return held;
  }

  #bind(protocol: PortProtocol, address: string, port: number): PortSocket {
    const parsed = parseAddress(address);
    if (!parsed) throw new HavreError("invalid-argument", `invalid IP address: ${address}`);
    const bytes = addressBytes(parsed.family, parsed.address);
    try {
      // IPv4 goes by the firewall rules alone; what comes while these are being made anew is to be sent again.
      return bindPort({ protocol, address: bytes, port, deaf: parsed.family === 4 });
    } catch (error) {
      throw this.#refusal(error, protocol, address, port);
    }
  }

  #refusal(error: unknown, protocol: PortProtocol, address: string, port: number): HavreError {
    const code = errnoOf(error);
    const other = [...this.#holdings.values()].find(
      (one) => one.protocol === protocol && one.port === port && clash(one.address, address),
    );
    if (code === "EADDRINUSE" && other) {
      const where = `${other.address}:${port}`;
      return new HavreError("failed-precondition", `Bind for ${address}:${port} failed: port is already allocated`, {
        cause: error,
        hint: `container ${other.holder} has ${where}/${protocol}`,
      });
    }
    const words: Readonly<Record<string, string>> = {
      EADDRINUSE: "bind: address already in use",
      EADDRNOTAVAIL: "bind: cannot assign requested address",
      EACCES: "bind: permission denied",
    };
    const listen = `listen ${protocol}${familyOf(address) === "ip" ? 4 : 6} ${familyOf(address) === "ip" ? address : `[${address}]`}:${port}`;
    if (code === "EPROTONOSUPPORT") {
      return new HavreError("failed-precondition", "Error starting userland proxy: protocol not supported", {
        cause: error,
        hint: `the kernel of this host has no ${protocol.toUpperCase()}`,
      });
    }
    const hint = code === "EADDRINUSE" ? whoHolds(protocol, port) : undefined;
    const text = words[code ?? ""] ?? (error instanceof Error ? error.message : String(error));
    return new HavreError("failed-precondition", `Error starting userland proxy: ${listen}: ${text}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  *#candidates({ hostPorts, protocol }: PortRequest, preferred: number | undefined): Generator<number> {
    const [first, last] = hostPorts ?? ephemeralPorts();
    if (preferred !== undefined && preferred >= first && preferred <= last) yield preferred;
    const count = last - first + 1;
    const start = hostPorts ? 0 : (this.#last.get(protocol) ?? first - 1) + 1 - first;
    for (let offset = 0; offset < count; offset++) yield first + ((start + offset + count) % count);
  }
}

/** Addresses of either family clash with their own, and with all of that family. */
function clash(one: string, other: string): boolean {
  return one === other || (familyOf(one) === familyOf(other) && (isAny(one) || isAny(other)));
}

function whoHolds(protocol: PortProtocol, port: number): string | undefined {
  const holders = findPortHolders(protocol, port).map(({ pid, name }) => `${name} (process ${pid})`);
  return holders.length === 0 ? undefined : `${holders.join(", ")} has port ${port}/${protocol}`;
}

function everyAddress(): readonly string[] {
  return hasIpv6() ? [ANY_IPV4, ANY_IPV6] : [ANY_IPV4];
}

/** As Docker: the range of which the kernel gives ports to clients. */
function ephemeralPorts(): readonly [number, number] {
  const [first = 49153, last = 65535] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
    .trim()
    .split(/\s+/)
    .map(Number);
  return [first, last];
}
