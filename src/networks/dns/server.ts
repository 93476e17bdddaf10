import { type Clock, HavreError, type Logger } from "../../base/mod.ts";
import {
  bindDatagrams,
  type DatagramSocket,
  listenStreams,
  type NetworkNamespace,
  type StreamHandlers,
  type StreamListener,
  type StreamSocket,
} from "../../kernel/mod.ts";
import { NAME_SERVER_ADDRESS, type Upstream } from "../upstreams.ts";
import { answerLocally, type Membership } from "./answers.ts";
import type { Transport } from "./exchange.ts";
import { Forwarder } from "./forwarder.ts";
import { FrameReader, frame } from "./frames.ts";
import { addressesIn, fitReply, type Query, Rcode, RecordType, readQuery, reply } from "./message.ts";
import type { NameTable } from "./names.ts";
import { redirectToNameServer } from "./redirect.ts";

/** Docker's. */
const MAX_FORWARDED = 1024;
/** Of all containers together: each holds a descriptor for every server it is asked of. */
const MAX_FORWARDED_TOTAL = 2048;
const MAX_CONNECTIONS = 64;
/** Questions of one connection that may wait for their answers; then no more are read. */
const MAX_PIPELINED = 32;
/** A connection is closed after so long without a question. */
const IDLE_MS = 10_000;

/** What the name servers of all containers share. */
export interface Surroundings {
  readonly names: NameTable;
  readonly clock: Clock;
  readonly log: Logger;
  /** Questions of all containers that are being asked of others. */
  readonly underWay: { count: number };
}

/** How one container sees names. */
export interface Outlook {
  readonly memberships: readonly Membership[];
  /** Whom to ask for others' names, in this order; looked at for every question. */
  readonly upstreams: () => readonly Upstream[];
  /** A name without a dot is left to the search domains (`ndots` is set). */
  readonly needsDot: boolean;
  /** Of a container that may not reach everything; absent: every name is asked for. */
  readonly gate?: NameGate;
}

/** Which others' names a container may know, and what becomes of them. */
export interface NameGate {
  readonly allows: (name: string) => boolean;
  /** Before the answer is handed out; `ttl` in seconds. */
  readonly learn: (name: string, addresses: readonly Buffer[], ttl: number) => void;
  readonly refuse: (name: string) => void;
}

/** The name server of one container: a UDP and a TCP socket in its namespace, no thread and no process. */
export class ContainerNameServer implements Disposable {
  readonly #namespace: NetworkNamespace;
  readonly #surroundings: Surroundings;
  readonly #forwarder: Forwarder;
  readonly #connections = new Set<StreamSocket>();
  #outlook: Outlook;
  #datagrams: DatagramSocket | undefined;
  #listener: StreamListener | undefined;
  #forwarded = 0;
  #closed = false;
  #complained = false;

  /** `namespace` stays the caller's, and open while the server is. */
  constructor(namespace: NetworkNamespace, outlook: Outlook, surroundings: Surroundings) {
    this.#namespace = namespace;
    this.#outlook = outlook;
    this.#surroundings = surroundings;
    this.#forwarder = new Forwarder(namespace, surroundings.clock);
  }

  set outlook(outlook: Outlook) {
    this.#outlook = outlook;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#datagrams?.[Symbol.dispose]();
    this.#listener?.[Symbol.dispose]();
    for (const connection of this.#connections) connection[Symbol.dispose]();
  }

  /** Answers from when the promise is settled. `cancelled` when it was closed meanwhile. */
  async listen(): Promise<void> {
    const namespace = this.#namespace;
    try {
      this.#listener = listenStreams(namespace, NAME_SERVER_ADDRESS, (socket) => this.#serveConnection(socket));
      this.#datagrams = await bindDatagrams(namespace, NAME_SERVER_ADDRESS, (bytes, from) => {
        const answer = this.#answer(Buffer.from(bytes), "udp");
        if (answer instanceof Promise) {
          answer.then((late) => {
            if (!this.#closed) this.#datagrams?.send(late, from);
          });
        } else if (answer) this.#datagrams?.send(answer, from);
      });
      if (this.#closed) throw new HavreError("cancelled", "The container ended before its name server was there");
      redirectToNameServer(namespace, { udp: this.#datagrams.port, tcp: this.#listener.port });
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** At once where nobody has to be asked. Never fails; undefined: no answer is due. */
  #answer(message: Buffer, transport: Transport): Buffer | Promise<Buffer> | undefined {
    try {
      return this.#answerTo(message, transport);
    } catch (error) {
      this.#complain(error);
      return undefined;
    }
  }

  #answerTo(message: Buffer, transport: Transport): Buffer | Promise<Buffer> | undefined {
    const query = readQuery(message);
    if (!query || "reply" in query) return query?.reply;
    const { names } = this.#surroundings;
    const records = answerLocally(names, this.#outlook.memberships, query);
    if (records) return reply(query, Rcode.success, records, transport === "udp" ? query.udpSize : undefined);
    const isAddress = query.type === RecordType.a || query.type === RecordType.aaaa;
    if (this.#outlook.needsDot && isAddress && !query.name.includes(".")) return reply(query, Rcode.success, []);
    const { gate } = this.#outlook;
    if (gate && !gate.allows(query.name)) {
      gate.refuse(query.name);
      // Not REFUSED, on which some resolvers wait and ask again.
      return reply(query, Rcode.noSuchName, []);
    }
    return this.#forward(query, transport, gate);
  }

  async #forward(query: Query, transport: Transport, gate: NameGate | undefined): Promise<Buffer> {
    const { underWay } = this.#surroundings;
    if (this.#forwarded >= MAX_FORWARDED || underWay.count >= MAX_FORWARDED_TOTAL) {
      return reply(query, Rcode.refused, []);
    }
    this.#forwarded++;
    underWay.count++;
    try {
      const answer = await this.#forwarder.forward(query, transport, this.#outlook.upstreams());
      if (!answer) return reply(query, Rcode.serverFailure, []);
      if (gate) {
        const { addresses, ttl } = addressesIn(answer);
        if (addresses.length > 0) gate.learn(query.name, addresses, ttl);
      }
      return transport === "udp" ? fitReply(query, answer) : answer;
    } catch (error) {
      this.#complain(error);
      return reply(query, Rcode.serverFailure, []);
    } finally {
      this.#forwarded--;
      underWay.count--;
    }
  }

  /** Once: whoever asks must not fill the log. */
  #complain(error: unknown): void {
    if (!this.#complained) this.#surroundings.log.error("A question for a name could not be answered", { error });
    this.#complained = true;
  }

  #serveConnection(socket: StreamSocket): StreamHandlers {
    const frames = new FrameReader();
    let unsent: Buffer = Buffer.alloc(0);
    let pending = 0;
    const idle = setTimeout(() => socket[Symbol.dispose](), IDLE_MS);
    const write = (bytes: Buffer) => {
      unsent = Buffer.concat([unsent, bytes]);
      unsent = unsent.subarray(Math.max(0, socket.write(unsent)));
    };
    const isFull = () => pending >= MAX_PIPELINED || unsent.byteLength > 0;
    /** Answers what has come in as far as the client takes the answers, in turns short enough for others. */
    const work = () => {
      for (let turn = 0; turn < MAX_PIPELINED; turn++) {
        if (isFull() || !this.#connections.has(socket)) return;
        const message = frames.next();
        if (!message) return void socket.resume();
        idle.refresh();
        const answer = this.#answer(message, "tcp");
        if (answer instanceof Promise) {
          pending++;
          answer.then((late) => {
            pending--;
            if (!this.#connections.has(socket)) return;
            write(frame(late));
            work();
          });
        } else if (answer) write(frame(answer));
        else return void socket[Symbol.dispose]();
      }
      setImmediate(work);
    };
    if (this.#connections.size < MAX_CONNECTIONS) this.#connections.add(socket);
    else setImmediate(() => socket[Symbol.dispose]());
    return {
      data: (bytes) => {
        frames.push(bytes);
        socket.pause();
        work();
      },
      drain: () => {
        write(Buffer.alloc(0));
        work();
      },
      close: () => {
        clearTimeout(idle);
        this.#connections.delete(socket);
      },
    };
  }
}
