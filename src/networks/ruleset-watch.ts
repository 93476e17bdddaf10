import { type FirewallChange, watchNftables } from "../kernel/mod.ts";

export interface RulesetWatchOptions {
  /** Whether a change may be one of rules that are kept. */
  readonly concerns: (change: FirewallChange) => boolean;
  /** Makes right what is not. */
  readonly look: () => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** Milliseconds: a firewall changes many things at once, and is looked at when it has been quiet for so long. */
  readonly settle: number;
}

/** Has rules looked at when someone may have changed them. The kernel tells of changes; nothing is polled. */
export class RulesetWatch implements Disposable {
  readonly #options: RulesetWatchOptions;
  #watch: Disposable | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RulesetWatchOptions) {
    this.#options = options;
  }

  /** Resolves when no change is missed any more. Repeatable. */
  async open(): Promise<void> {
    const changed = (change: FirewallChange) => {
      if (this.#options.concerns(change)) this.#lookSoon();
    };
    // What changed meanwhile is not known.
    const lost = () => {
      this.#watch = undefined;
      this.#lookSoon();
    };
    this.#watch?.[Symbol.dispose]();
    const watch = await watchNftables(changed, lost);
    if (this.#closed) watch[Symbol.dispose]();
    else this.#watch = watch;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watch?.[Symbol.dispose]();
  }

  #lookSoon(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look().catch(this.#options.failed), this.#options.settle).unref();
  }

  async #look(): Promise<void> {
    if (!this.#watch) await this.open();
    if (!this.#closed) await this.#options.look();
  }
}
