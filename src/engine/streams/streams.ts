import { HavreError } from "../../base/mod.ts";
import { type OutputChunk, readLog } from "../../runtime/mod.ts";
import type { Container } from "../container.ts";
import { bundleFolder, type EngineContext, logPath } from "../context.ts";
import type { AttachOptions, LogOptions, StreamSession, Streams } from "../engine.ts";
import { getContainer, hasProcess, requireRunning } from "../lookup.ts";
import { attachContainer } from "./attach.ts";
import type { StreamHub } from "./hub.ts";

/**
 * Milliseconds from a container's start until its first words are expected. Clients that start a short command and read its log
 * at once were written against an engine whose start takes longer than the command does.
 */
const FIRST_WORDS = 250;

/** Containers' standard streams: live sessions and what was logged. */
export class ContainerStreams implements Streams {
  readonly #context: EngineContext;
  readonly #hub: StreamHub;

  constructor(context: EngineContext, hub: StreamHub) {
    this.#context = context;
    this.#hub = hub;
  }

  async attach(ref: string, options: AttachOptions, signal?: AbortSignal): Promise<StreamSession> {
    const { id } = getContainer(this.#context.store, ref);
    // Under the lock: a container in the middle of its start is either not connected yet, or running.
    const session = await this.#context.locks.run(id, () => attachContainer(this.#context, this.#hub, ref, options));
    // The client may have gone while the lock was waited for.
    if (signal?.aborted) await session[Symbol.asyncDispose]();
    signal?.addEventListener("abort", () => void session[Symbol.asyncDispose](), { once: true });
    return session;
  }

  async logs(
    ref: string,
    options: LogOptions,
    signal?: AbortSignal,
  ): Promise<{ readonly terminal: boolean; readonly output: AsyncIterable<OutputChunk> }> {
    const container = getContainer(this.#context.store, ref);
    const { LogConfig } = container.spec.hostConfig;
    if (LogConfig.Type === "none") {
      throw new HavreError("not-implemented", "configured logging driver does not support reading");
    }
    const { follow, ...query } = options;
    if (!follow) await this.#firstWords(container, signal);
    // What does not run writes no more: there is nothing to follow.
    const ended =
      follow && hasProcess(container) ? this.#context.waiters.next(container.id, "next-exit", signal) : undefined;
    const output = readLog(logPath(this.#context, container.id), {
      ...query,
      ...(ended === undefined ? {} : { follow: { ended } }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { terminal: container.spec.config.Tty, output };
  }

  /** Waits for the end of what was started just now; not for long. */
  async #firstWords(container: Container, signal?: AbortSignal): Promise<void> {
    const { clock, waiters } = this.#context;
    const left = (container.status.startedAt ?? 0) + FIRST_WORDS - clock.now();
    if (!hasProcess(container) || left <= 0 || left > FIRST_WORDS) return;
    const patience = new AbortController();
    const stop = signal ? AbortSignal.any([signal, patience.signal]) : patience.signal;
    await Promise.race([
      waiters.next(container.id, "next-exit", stop),
      clock.sleep(left, stop).catch(() => {
        // Whoever does not wait any longer is told by the reading itself.
      }),
    ]);
    patience.abort();
  }

  async resize(ref: string, height: number, width: number): Promise<void> {
    const container = getContainer(this.#context.store, ref);
    requireRunning(container, container.id);
    this.#context.runtime.resize(container.id, bundleFolder(this.#context, container.id), height, width);
  }
}
