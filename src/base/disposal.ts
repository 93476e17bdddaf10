import { type HavreError, toHavreError } from "./errors.ts";

type Undo = () => void | PromiseLike<void>;

/**
 * What has been acquired so far in a piece of work that may fail half-way. Each acquisition registers its undo; `run`
 * undoes them in reverse when the work throws, and reports a failed undo beside the cause.
 */
export class Undoes {
  readonly #undoes: Undo[] = [];

  add(undo: Undo): void {
    this.#undoes.push(undo);
  }

  /** Runs `work`; on failure everything registered is undone, latest first, and the failure is thrown on. */
  static async run<T>(work: (undoes: Undoes) => Promise<T>): Promise<T> {
    const undoes = new Undoes();
    try {
      return await work(undoes);
    } catch (error) {
      throw await undoes.#undo(toHavreError(error));
    }
  }

  async #undo(cause: HavreError): Promise<HavreError> {
    for (let undo = this.#undoes.pop(); undo; undo = this.#undoes.pop()) {
      try {
        await undo();
      } catch (failure) {
        cause.cleanUpFailures.push(failure);
      }
    }
    return cause;
  }
}

/** Runs every step even when some fail, then throws the first failure with the rest attached. For tear-down paths. */
export async function runAll(steps: readonly Undo[]): Promise<void> {
  let first: HavreError | undefined;
  for (const step of steps) {
    try {
      await step();
    } catch (failure) {
      if (first === undefined) first = toHavreError(failure);
      else first.cleanUpFailures.push(failure);
    }
  }
  if (first) throw first;
}
