import { connectDatagrams, connectStream, type NetworkNamespace, type SocketAddress } from "../../kernel/mod.ts";
import { FrameReader, frame } from "./frames.ts";

/** The forwarder waits no longer. */
const CONNECT_MS = 5000;

export type Transport = "udp" | "tcp";

/** What became of a message: bytes that came back (more may come: anyone can send anything), or nothing ever will. */
export interface ExchangeHandlers {
  received(message: Buffer): void;
  failed(): void;
}

/** Sends a message to a server from a port of its own, in `namespace` (undefined: the host's). Disposal ends it. */
export function exchange(
  namespace: NetworkNamespace | undefined,
  server: SocketAddress,
  transport: Transport,
  message: Buffer,
  handlers: ExchangeHandlers,
): Disposable {
  const opening = transport === "udp" ? overUdp : overTcp;
  let ended = false;
  let socket: Disposable | undefined;
  const whileWanted: ExchangeHandlers = {
    received: (bytes) => {
      if (!ended) handlers.received(bytes);
    },
    failed: () => {
      if (!ended) handlers.failed();
    },
  };
  opening(namespace, server, message, whileWanted).then(
    (opened) => {
      socket = opened;
      if (ended) socket[Symbol.dispose]();
    },
    () => whileWanted.failed(),
  );
  return {
    [Symbol.dispose]: () => {
      if (ended) return;
      ended = true;
      socket?.[Symbol.dispose]();
    },
  };
}

async function overUdp(
  namespace: NetworkNamespace | undefined,
  server: SocketAddress,
  message: Buffer,
  { received, failed }: ExchangeHandlers,
): Promise<Disposable> {
  const socket = await connectDatagrams(namespace, server, (bytes) => received(Buffer.from(bytes)), failed);
  // One that could not be sent is as one that was lost on the way.
  socket.send(message);
  return socket;
}

async function overTcp(
  namespace: NetworkNamespace | undefined,
  server: SocketAddress,
  message: Buffer,
  { received, failed }: ExchangeHandlers,
): Promise<Disposable> {
  const frames = new FrameReader();
  let rest = frame(message);
  const write = () => {
    if (rest.byteLength > 0) rest = rest.subarray(Math.max(0, socket.write(rest)));
  };
  const socket = await connectStream(namespace, server, CONNECT_MS, {
    data: (bytes) => {
      frames.push(bytes);
      for (let next = frames.next(); next; next = frames.next()) received(next);
    },
    drain: write,
    close: failed,
  });
  write();
  return socket;
}
