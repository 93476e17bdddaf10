import { HavreError } from "../base/mod.ts";

const AHEAD = 4;

class Branch implements AsyncIterable<Uint8Array> {
  readonly queue: Uint8Array[] = [];
  /** Nobody reads here any more. */
  abandoned = false;
  wake: (() => void) | undefined;
  readonly #pull: (branch: Branch) => Promise<boolean>;

  constructor(pull: (branch: Branch) => Promise<boolean>) {
    this.#pull = pull;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      while (this.queue.length > 0 || (await this.#pull(this))) {
        const chunk = this.queue.shift();
        this.wake?.();
        if (chunk) yield chunk;
      }
    } finally {
      this.abandoned = true;
      this.queue.length = 0;
      this.wake?.();
    }
  }
}

/**
 * Hands one stream to two readers at the pace of the slower one; memory is bounded by a few chunks. A reader that
 * leaves early does not stop the other. A failure of the source reaches both.
 */
export function tee(
  source: AsyncIterable<Uint8Array>,
): readonly [AsyncIterable<Uint8Array>, AsyncIterable<Uint8Array>] {
  const iterator = source[Symbol.asyncIterator]();
  let reading: Promise<boolean> | undefined;
  const branches: Branch[] = [];

  const read = async (): Promise<boolean> => {
    for (const branch of branches) {
      while (!branch.abandoned && branch.queue.length >= AHEAD) {
        await new Promise<void>((resolve) => {
          branch.wake = resolve;
        });
      }
    }
    if (branches.every((branch) => branch.abandoned)) {
      await iterator.return?.();
      throw new HavreError("cancelled", "Nobody reads the stream any more");
    }
    const next = await iterator.next();
    if (next.done) return false;
    for (const branch of branches) if (!branch.abandoned) branch.queue.push(next.value);
    return true;
  };
  const pull = async (branch: Branch): Promise<boolean> => {
    while (branch.queue.length === 0) {
      reading ??= read().finally(() => {
        reading = undefined;
      });
      if (!(await reading)) return branch.queue.length > 0;
    }
    return true;
  };
  branches.push(new Branch(pull), new Branch(pull));
  return [branches[0] as Branch, branches[1] as Branch];
}

/**
 * Runs two pieces of work that consume one stream. When one fails the other is told to stop through `signal`; the first
 * failure is thrown after both have ended.
 */
export async function both<A, B>(
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
  signal?: AbortSignal,
): Promise<[A, B]> {
  const control = new AbortController();
  const joined = signal ? AbortSignal.any([signal, control.signal]) : control.signal;
  const failures: unknown[] = [];
  const guard = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await work(joined);
    } catch (error) {
      failures.push(error);
      control.abort(error);
      throw error;
    }
  };
  const [a, b] = await Promise.allSettled([guard(first), guard(second)]);
  if (a.status === "rejected" || b.status === "rejected") throw failures[0];
  return [a.value, b.value];
}
