import { randomInt } from "node:crypto";
import type { Clock } from "../../base/mod.ts";
import type { NetworkNamespace } from "../../kernel/mod.ts";
import type { Upstream } from "../upstreams.ts";
import { exchange, type Transport } from "./exchange.ts";
import { type Query, Rcode, rcodeOfAnswer, withId } from "./message.ts";

/** A server that says nothing for so long is no longer waited for alone. */
const PATIENCE_MS = 1000;
/** Below the five seconds after which most programs ask again. */
const DEADLINE_MS = 4500;
/** So long a server that said nothing is asked last. */
const SHUN_MS = 30_000;
/** Rounds over the servers: a datagram may be lost. */
const ROUNDS = 2;

interface Attempt {
  readonly upstream: Upstream;
  readonly transport: Transport;
}

const keyOf = ({ upstream, transport }: Attempt): string => `${transport} ${upstream.address} ${upstream.port}`;

/** Asks name servers for one container, each question from a port and under a number of its own. */
export class Forwarder {
  readonly #namespace: NetworkNamespace;
  readonly #clock: Clock;
  readonly #silentUntil = new Map<string, number>();

  constructor(namespace: NetworkNamespace, clock: Clock) {
    this.#namespace = namespace;
    this.#clock = clock;
  }

  /**
   * The first answer that answers: one server after another, the next as well when one is silent, by TCP where UDP is refused.
   * undefined: none did.
   */
  async forward(query: Query, transport: Transport, upstreams: readonly Upstream[]): Promise<Buffer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    const running = new Map<string, Disposable>();
    const hopeless = new Set<string>();
    const plan = this.#plan(upstreams, transport);
    let patience: NodeJS.Timeout | undefined;

    const advance = () => {
      clearTimeout(patience);
      const next = plan.shift();
      if (!next) {
        if (running.size === 0) resolve(undefined);
      } else if (hopeless.has(keyOf(next))) {
        advance();
      } else {
        patience = setTimeout(() => {
          this.#silentUntil.set(next.upstream.address, this.#clock.now() + SHUN_MS);
          advance();
        }, PATIENCE_MS);
        start(next);
      }
    };
    const end = (key: string) => {
      running.get(key)?.[Symbol.dispose]();
      running.delete(key);
    };
    const start = (attempt: Attempt) => {
      const { upstream, transport: by } = attempt;
      const sent = withId(query.message, randomInt(65536));
      const namespace = upstream.fromHost ? undefined : this.#namespace;
      const giveUp = (...others: readonly Attempt[]) => {
        end(keyOf(attempt));
        hopeless.add(keyOf(attempt));
        plan.unshift(...others);
        advance();
      };
      const failed = () => giveUp(...(by === "udp" ? [{ upstream, transport: "tcp" } as const] : []));
      const received = (answer: Buffer) => {
        const rcode = rcodeOfAnswer(query, sent, answer);
        if (rcode === undefined) return;
        this.#silentUntil.delete(upstream.address);
        if (rcode !== Rcode.serverFailure && rcode !== Rcode.refused) {
          return resolve(withId(answer, query.message.readUInt16BE(0)));
        }
        giveUp();
      };
      // Asked again, a server is no longer listened to for the first time: descriptors are few.
      end(keyOf(attempt));
      running.set(keyOf(attempt), exchange(namespace, upstream, by, sent, { received, failed }));
    };

    const deadline = setTimeout(() => resolve(undefined), DEADLINE_MS);
    advance();
    try {
      return await promise;
    } finally {
      clearTimeout(deadline);
      clearTimeout(patience);
      for (const key of [...running.keys()]) end(key);
    }
  }

  #plan(upstreams: readonly Upstream[], transport: Transport): Attempt[] {
    const now = this.#clock.now();
    const silent = ({ address }: Upstream) => (this.#silentUntil.get(address) ?? 0) > now;
    const order = [...upstreams.filter((one) => !silent(one)), ...upstreams.filter(silent)];
    const round = order.map((upstream) => ({ upstream, transport }));
    return Array.from({ length: ROUNDS }, () => round).flat();
  }
}
