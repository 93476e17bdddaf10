/** How long after the last `take` the pool is refilled: a start that has just taken one should not share its time. */
const QUIET_MS = 15;

export interface ReadyPoolOptions<T> {
  readonly target: number;
  /** With fewer than this left the pool does not wait for a quiet moment. */
  readonly low: number;
  /** undefined: no more can be made now. */
  readonly make: () => T | undefined;
  readonly discard: (item: T) => void;
  /** A refill failed; it is tried again after the next `take`. */
  readonly failed: (error: unknown) => void;
}

/** Things made ahead of need, one per turn of the event loop, up to a bound. Idle it does nothing at all. */
export class ReadyPool<T> {
  readonly #options: ReadyPoolOptions<T>;
  readonly #items: T[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ReadyPoolOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The oldest ready one; undefined when none is: the caller makes its own. */
  take(): T | undefined {
    const item = this.#items.shift();
    this.refillSoon();
    return item;
  }

  refillSoon(): void {
    if (this.#closed || this.#items.length >= this.#options.target) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refill(), this.#items.length < this.#options.low ? 0 : QUIET_MS);
    this.#timer.unref();
  }

  discardAll(): void {
    for (const item of this.#items.splice(0)) this.#options.discard(item);
  }

  /** Lets go of those that `which` finds; others take their place. */
  discardWhere(which: (item: T) => boolean): void {
    const found = this.#items.filter(which);
    for (const item of found) {
      this.#items.splice(this.#items.indexOf(item), 1);
      this.#options.discard(item);
    }
    if (found.length > 0) this.refillSoon();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.discardAll();
  }

  #refill(): void {
    try {
      const item = this.#options.make();
      if (item === undefined) return;
      this.#items.push(item);
    } catch (error) {
      this.#options.failed(error);
      return;
    }
    if (this.#items.length >= this.#options.target) return;
    this.#timer = setTimeout(() => this.#refill(), 0);
    this.#timer.unref();
  }
}
