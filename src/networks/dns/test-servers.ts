import { decode, encode, type Packet } from "dns-packet";
import { connectDatagrams, connectStream, inNetworkNamespace, type NetworkNamespace } from "../../kernel/mod.ts";
import type { Transport } from "./exchange.ts";
import { FrameReader, frame } from "./frames.ts";

/** What a test's server says to a question; nothing: it keeps silent. */
export type Behaviour = (query: Packet, by: Transport) => Uint8Array | readonly Uint8Array[] | undefined;

export interface TestServer extends Disposable {
  /** What it was asked. */
  readonly asked: { readonly name: string; readonly by: Transport; readonly id: number; readonly port: number }[];
}

/** A name server at port 53 of a loopback address, in a namespace or the test's own. */
export async function testServer(
  namespace: NetworkNamespace | undefined,
  address: string,
  behaviour: Behaviour,
  transports: readonly Transport[] = ["udp", "tcp"],
): Promise<TestServer> {
  const asked: TestServer["asked"] = [];
  const within = <T>(work: () => T) => (namespace ? inNetworkNamespace(namespace, work) : work());
  const hear = (message: Buffer, by: Transport, port: number): readonly Uint8Array[] => {
    const query = decode(message);
    asked.push({ name: query.questions?.[0]?.name ?? "", by, id: query.id ?? 0, port });
    const said = behaviour(query, by);
    return said === undefined ? [] : said instanceof Uint8Array ? [said] : said;
  };
  const stops: (() => void)[] = [];
  if (transports.includes("udp")) {
    const opened = within(() =>
      Bun.udpSocket({
        hostname: address,
        port: 53,
        socket: {
          data: (socket, bytes, port, from) => {
            for (const reply of hear(Buffer.from(bytes), "udp", port)) socket.send(reply, port, from);
          },
        },
      }),
    );
    const socket = await opened;
    stops.push(() => socket.close());
  }
  if (transports.includes("tcp")) {
    const listener = within(() =>
      Bun.listen<FrameReader>({
        hostname: address,
        port: 53,
        socket: {
          open: (socket) => {
            socket.data = new FrameReader();
          },
          data: (socket, bytes) => {
            socket.data.push(bytes);
            for (let next = socket.data.next(); next; next = socket.data.next())
              for (const reply of hear(next, "tcp", socket.remotePort)) socket.write(frame(reply));
          },
        },
      }),
    );
    stops.push(() => listener.stop(true));
  }
  return {
    asked,
    [Symbol.dispose]: () => {
      for (const stop of stops) stop();
    },
  };
}

/** A proper answer: one address. */
export function say(query: Packet, address: string, packet: Partial<Packet> = {}): Buffer {
  const { id = 0, questions = [] } = query;
  const name = questions[0]?.name ?? "";
  return encode({ type: "response", id, questions, answers: [{ type: "A", name, data: address }], ...packet });
}

/** Asks a container's name server from inside. Rejected after ten seconds without an answer. */
export async function askInside(
  namespace: NetworkNamespace,
  packet: Partial<Packet> & { readonly name?: string },
  by: Transport = "udp",
): Promise<ReturnType<typeof decode>> {
  const { name = "", ...rest } = packet;
  const message = encode({ type: "query", id: 1234, flags: 0x0100, questions: [{ type: "A", name }], ...rest });
  return decode(await sendInside(namespace, message, by));
}

/** Sends bytes to a container's name server from inside and returns the first that come back. */
export async function sendInside(namespace: NetworkNamespace, message: Buffer, by: Transport): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const timer = setTimeout(() => reject(new Error("No answer within ten seconds")), 10_000);
  const server = { address: "127.0.0.11", port: 53 };
  const failed = () => reject(new Error("The name server cannot be reached"));
  const open = async (): Promise<Disposable> => {
    if (by === "udp") {
      const socket = await connectDatagrams(namespace, server, (bytes) => resolve(Buffer.from(bytes)), failed);
      socket.send(message);
      return socket;
    }
    const frames = new FrameReader();
    const data = (bytes: Uint8Array) => {
      frames.push(bytes);
      const answer = frames.next();
      if (answer) resolve(answer);
    };
    const socket = await connectStream(namespace, server, 5000, { data, drain: () => {}, close: failed });
    socket.write(frame(message));
    return socket;
  };
  const socket = await open();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket[Symbol.dispose]();
  }
}
