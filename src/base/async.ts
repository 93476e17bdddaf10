/** A promise with its handles outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  return Promise.withResolvers<T>();
}

/** Serialises work per key, first come first served. Different keys never wait for each other. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  async run<T>(key: string, work: () => Promise<T> | T): Promise<T> {
    const previous = this.#tails.get(key);
    const { promise: mine, resolve: release } = deferred<void>();
    this.#tails.set(key, mine);
    if (previous) await previous;
    try {
      return await work();
    } finally {
      release();
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    }
  }

  /** True while work for `key` runs or waits. */
  busy(key: string): boolean {
    return this.#tails.has(key);
  }
}

/** At most `limit` pieces of work at once. */
export class Semaphore {
  #free: number;
  readonly #waiters: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiters.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiters.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

/**
 * What all come to, in order. When one fails the others are told to stop, and the first failure is thrown once they have:
 * unlike `Promise.all`, nothing goes on behind it.
 */
export async function joinAll<T>(
  work: readonly ((stop: AbortSignal) => Promise<T>)[],
  signal?: AbortSignal,
): Promise<T[]> {
  const control = new AbortController();
  const stop = signal ? AbortSignal.any([signal, control.signal]) : control.signal;
  let first: { readonly error: unknown } | undefined;
  const ended = await Promise.allSettled(
    work.map((one) =>
      one(stop).catch((error: unknown) => {
        first ??= { error };
        control.abort();
        throw error;
      }),
    ),
  );
  if (first) throw first.error;
  return ended.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

/** At most `limit` pieces of work at once, none begun after one has failed. Disposed when none is under way any more. */
export class Batch<T> implements AsyncDisposable {
  readonly #limit: number;
  readonly #results: T[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #begun = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns once the work has begun; throws the first failure of any. */
  async add(work: () => Promise<T>): Promise<void> {
    while (this.#underWay.size >= this.#limit) await Promise.race(this.#underWay);
    if (this.#failure) throw this.#failure.error;
    const at = this.#begun++;
    const one = work()
      .then(
        (result) => {
          this.#results[at] = result;
        },
        (error: unknown) => {
          this.#failure ??= { error };
        },
      )
      .finally(() => this.#underWay.delete(one));
    this.#underWay.add(one);
  }

  /** What all came to, in the order in which they were added. */
  async results(): Promise<readonly T[]> {
    await this[Symbol.asyncDispose]();
    if (this.#failure) throw this.#failure.error;
    return this.#results;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#underWay);
  }
}

/**
 * An unbounded single-consumer queue as an async iterable: what a watcher reads from. `close` ends it after what is
 * queued; `fail` ends it with an error.
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #failure: unknown;

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    if (this.#closed) return;
    this.#items.push(item);
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        while (this.#items.length > 0) yield this.#items.shift() as T;
        if (this.#closed) {
          if (this.#failure !== undefined) throw this.#failure;
          return;
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      this.#closed = true;
    }
  }
}
