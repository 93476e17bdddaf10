import { AsyncQueue, type Clock } from "../base/mod.ts";
import type { ImageEvent } from "../images/mod.ts";
import type { VolumeEvent } from "../volumes/mod.ts";
import type { Container } from "./container.ts";
import type { EngineEvent, Events } from "./engine.ts";

/** How many past events `since` can reach back to (dockerd keeps 256). */
const REMEMBERED = 1024;

/** An exec's action as dockerd words it: its command, a space, its arguments, also when there are none. */
export function execAction(action: "exec_create" | "exec_start", [command, ...rest]: readonly string[]): string {
  return `${action}: ${command} ${rest.join(" ")}`;
}

/** What happened, told to whoever listens; the last ones are remembered. */
export class EventLog implements Events {
  readonly #past: EngineEvent[] = [];
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  emit(event: Omit<EngineEvent, "at">): void {
    const stamped: EngineEvent = { ...event, at: this.#clock.now() };
    this.#past.push(stamped);
    if (this.#past.length > REMEMBERED) this.#past.shift();
    for (const listener of this.#listeners) listener(stamped);
  }

  emitImage({ action, id, name, labels, reclaimed }: ImageEvent): void {
    const attributes = reclaimed === undefined ? { ...labels, name } : { reclaimed: String(reclaimed) };
    this.emit({ type: "image", action, actor: { id, attributes } });
  }

  emitVolume({ action, name, attributes }: VolumeEvent): void {
    this.emit({ type: "volume", action, actor: { id: name, attributes } });
  }

  /** A container's event, with the attributes Docker gives: labels, image, name and those of the action. */
  emitContainer(container: Container, action: string, attributes: Readonly<Record<string, string>> = {}): void {
    const { config } = container.spec;
    this.emit({
      type: "container",
      action,
      actor: {
        id: container.id,
        attributes: { ...config.Labels, ...attributes, image: config.Image, name: container.name },
      },
    });
  }

  /** Calls `listener` with every event from now on. */
  listen(listener: (event: EngineEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async *subscribe(
    { since, until }: { readonly since?: number; readonly until?: number },
    signal?: AbortSignal,
  ): AsyncGenerator<EngineEvent> {
    const queue = new AsyncQueue<EngineEvent>();
    const past = since === undefined ? [] : this.#past.filter((event) => event.at >= since);
    using _listening = this.listen((event) => queue.push(event));
    const stop = () => queue.close();
    signal?.addEventListener("abort", stop, { once: true });
    const remaining = until === undefined ? undefined : until - this.#clock.now();
    const timer = remaining === undefined ? undefined : setTimeout(stop, Math.max(0, remaining));
    try {
      for (const event of past) if (until === undefined || event.at <= until) yield event;
      if (signal?.aborted || (remaining !== undefined && remaining <= 0)) return;
      for await (const event of queue) if (until === undefined || event.at <= until) yield event;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }
}
