import { randomUUID } from "node:crypto";
import type { Clock, Logger } from "../../base/mod.ts";
import { namePattern } from "../../policy/mod.ts";
import { defineKind, type Store, type WriteTransaction } from "../../store/mod.ts";
import type { ChangeSink, RepositoryChange } from "../context.ts";
import type { Webhook } from "../settings/settings.ts";
import { ENVELOPE_TYPE, eventOf, type NotificationEvent } from "./event.ts";

/** An event that an address is still to be told. */
interface Notification {
  /** Sorts by when it came. */
  readonly id: string;
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly event: NotificationEvent;
}

const notifications = defineKind<Notification>("registry-notification");

const TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10 * 60_000;
const PATIENCE_MS = 3 * 24 * 60 * 60 * 1000;

export interface WebhookOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** This registry's address, for events. */
  readonly url: () => string;
  /** How many may wait for one address; beyond that the oldest goes. */
  readonly limit?: number;
}

/**
 * Tells addresses of changes, each in the order they happened, until it is taken: what waits is in the store since the
 * change's own transaction, so that neither a kill nor a receiver that is down loses it.
 */
export class Webhooks implements ChangeSink, AsyncDisposable {
  readonly #options: WebhookOptions;
  readonly #limit: number;
  readonly #instance = randomUUID();
  readonly #queues = new Map<string, Queue>();
  readonly #watching: Disposable;
  #hooks: readonly (Webhook & { readonly fits: (repository: string) => boolean })[] = [];
  #count = 0;
  #closed = false;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#limit = options.limit ?? 10_000;
    const waiting = options.store.view((tx) => [...tx.list(notifications)].sort((a, b) => (a.id < b.id ? -1 : 1)));
    for (const { url, id } of waiting) this.#queue(url).ids.push(id);
    this.#watching = options.store.watch(notifications, ({ before, after }) => {
      if (after && !before) {
        const queue = this.#queue(after.url);
        queue.ids.push(after.id);
        this.#work(queue);
      } else if (before && !after) {
        const { ids } = this.#queue(before.url);
        if (ids[0] === before.id) ids.shift();
        else ids.splice(ids.indexOf(before.id) >>> 0, 1);
      }
    });
  }

  /** Whom to tell from now on; what waits for others is forgotten. */
  async replace(hooks: readonly Webhook[]): Promise<void> {
    this.#hooks = hooks.map((hook) => ({ ...hook, fits: namePattern(hook.match) }));
    const known = new Set(hooks.map(({ url }) => url));
    const orphans = this.#options.store.view((tx) => tx.list(notifications).filter(({ url }) => !known.has(url)));
    if (orphans.length > 0) {
      await this.#options.store.update((tx) => {
        for (const { id } of orphans) tx.delete(notifications, id);
      });
    }
    for (const [url, queue] of this.#queues) {
      if (known.has(url)) this.#work(queue);
      else queue.end.abort();
    }
  }

  /** How many events wait, and how many were given up since the start. */
  get waiting(): number {
    return [...this.#queues.values()].reduce((sum, { ids }) => sum + ids.length, 0);
  }
  delivered = 0;
  failed = 0;
  dropped = 0;

  changed(tx: WriteTransaction, change: RepositoryChange): void {
    const { clock, url } = this.#options;
    const now = clock.now();
    const urls = this.#hooks.filter((hook) => hook.fits(change.repository) && hook.events.includes(change.action));
    for (const address of new Set(urls.map((hook) => hook.url))) {
      const [oldest] = this.#queue(address).ids;
      if (oldest !== undefined && this.#queue(address).ids.length >= this.#limit) {
        tx.delete(notifications, oldest);
        this.dropped++;
      }
      const id = `${String(Math.floor(now)).padStart(15, "0")}-${String(this.#count++).padStart(12, "0")}`;
      const event = eventOf(change, now, url(), this.#instance);
      tx.put(notifications, { id: `${id}-${address}`, url: address, since: now, event });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#watching[Symbol.dispose]();
    for (const queue of this.#queues.values()) queue.end.abort();
    await Promise.all([...this.#queues.values()].map(({ working }) => working));
  }

  #queue(url: string): Queue {
    let queue = this.#queues.get(url);
    if (!queue) {
      queue = { url, ids: [], working: undefined, end: new AbortController() };
      this.#queues.set(url, queue);
    }
    return queue;
  }

  /** One worker for each address, while something waits for it. */
  #work(queue: Queue): void {
    if (queue.working || this.#closed || queue.ids.length === 0) return;
    // Nobody to tell: what is meant for an address that is no more goes with the next settings.
    if (!this.#hooks.some(({ url }) => url === queue.url)) return;
    if (queue.end.signal.aborted) queue.end = new AbortController();
    queue.working = this.#deliver(queue)
      .catch((error) => {
        if (!queue.end.signal.aborted) this.#options.log.error("webhook stopped", { url: queue.url, error });
      })
      .finally(() => {
        queue.working = undefined;
        if (!queue.end.signal.aborted) this.#work(queue);
      });
  }

  async #deliver(queue: Queue): Promise<void> {
    const { store, clock, log } = this.#options;
    const { signal } = queue.end;
    let failures = 0;
    while (!signal.aborted) {
      const [id] = queue.ids;
      if (id === undefined) return;
      const notification = store.view((tx) => tx.get(notifications, id));
      const hook = this.#hooks.find(({ url }) => url === queue.url);
      if (!hook) return;
      if (!notification) {
        queue.ids.shift();
        continue;
      }
      const problem = await send(hook, notification.event, signal);
      if (signal.aborted) return;
      if (problem === undefined) this.delivered++;
      else this.failed++;
      const tired = problem !== undefined && clock.now() - notification.since > PATIENCE_MS;
      if (problem === undefined || tired) {
        failures = 0;
        if (tired) this.dropped++;
        // Told twice after a power cut rather than never.
        await store.update((tx) => tx.delete(notifications, id), { durable: false });
        if (tired) log.error("webhook given up", { url: queue.url, event: notification.event.id, problem });
        continue;
      }
      if (failures === 0) log.warn("webhook failed, will be tried again", { url: queue.url, problem });
      await clock.sleep(Math.min(FIRST_PAUSE_MS * 2 ** failures++, LONGEST_PAUSE_MS), signal);
    }
  }
}

interface Queue {
  readonly url: string;
  /** Oldest first. */
  readonly ids: string[];
  working: Promise<void> | undefined;
  end: AbortController;
}

/** undefined: it was taken; else why not. */
async function send(hook: Webhook, event: NotificationEvent, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await fetch(hook.url, {
      method: "POST",
      headers: { ...hook.headers, "content-type": ENVELOPE_TYPE },
      body: JSON.stringify({ events: [event] }),
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await answer.body?.cancel().catch(() => {}); // What it says does not matter.
    return answer.ok ? undefined : `it answered ${answer.status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
