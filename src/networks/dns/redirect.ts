import {
  dropPacket,
  matchField,
  matchRateOver,
  type NetworkNamespace,
  replaceTable,
  setField,
} from "../../kernel/mod.ts";
import { NAME_SERVER_ADDRESS } from "../upstreams.ts";

const ADDRESS = Uint8Array.from(NAME_SERVER_ADDRESS.split("."), Number);
const TABLE = "havre-names";
const DNS_PORT = portBytes(53);

const SOURCE = { header: "network", offset: 12, length: 4 } as const;
const DESTINATION = { header: "network", offset: 16, length: 4 } as const;
const PROTOCOL = { header: "network", offset: 9, length: 1 } as const;
const SOURCE_PORT = { header: "transport", offset: 0, length: 2 } as const;
const DESTINATION_PORT = { header: "transport", offset: 2, length: 2 } as const;

/**
 * A container that asks more, packets a second and at once, is not heard: the daemon has others to serve. More than a
 * program that waits for its answers can ask.
 */
const RATE = 50_000;
const BURST = 5000;

/**
 * Makes port 53 of the name server's address in a namespace stand for the ports that it really has, so that a program there
 * can have port 53 of all addresses for itself. Ports are rewritten without connection tracking: a container's own traffic
 * does not pay for it. A side effect that is wanted: while nobody listens (the daemon is starting anew), the kernel's
 * refusal names the real port and reaches nobody, so programs wait and ask again instead of failing at once.
 */
export function redirectToNameServer(namespace: NetworkNamespace, ports: { udp: number; tcp: number }): void {
  const transports = [
    { number: 17, port: portBytes(ports.udp), checksum: 6 },
    { number: 6, port: portBytes(ports.tcp), checksum: 16 },
  ];
  const protocol = (number: number) => matchField(PROTOCOL, Uint8Array.of(number));
  replaceTable(namespace, TABLE, [
    {
      name: "questions",
      hook: "output",
      priority: -300,
      rules: transports.map(({ number, port, checksum }) => [
        ...protocol(number),
        ...matchField(DESTINATION, ADDRESS),
        ...matchField(DESTINATION_PORT, DNS_PORT),
        ...setField(DESTINATION_PORT, port, checksum),
      ]),
    },
    {
      name: "arrivals",
      hook: "input",
      // After everything that looks at connections: both directions look alike to it.
      priority: 300,
      rules: [
        // Here, where packets are lost without a word, and not on their way out, where the sender would get an error.
        [...matchField(DESTINATION, ADDRESS), ...matchRateOver(RATE, BURST), ...dropPacket()],
        ...transports.map(({ number, port, checksum }) => [
          ...protocol(number),
          ...matchField(SOURCE, ADDRESS),
          ...matchField(SOURCE_PORT, port),
          ...setField(SOURCE_PORT, DNS_PORT, checksum),
        ]),
      ],
    },
  ]);
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 255);
}
