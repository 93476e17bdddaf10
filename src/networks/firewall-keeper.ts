import { type Logger, toHavreError } from "../base/mod.ts";
import { type FirewallChange, watchNftables } from "../kernel/mod.ts";
import { FIREWALLD, installRules, type Rules, repairRules, tableName } from "./firewall.ts";

/** Firewalls change many things at once: looked at when they have been quiet for so long. */
const SETTLE_MS = 200;

/**
 * Keeps the rules of a daemon's bridges in force. A reload of the host's firewall (`nft flush ruleset`, as Debian's own service does)
 * takes our table with it, and Docker or ufw started later drop what they do not know: containers would lose the
 * network until the daemon's next start. The kernel tells of such changes; nothing is polled.
 */
export class FirewallKeeper {
  #rules: Rules;
  readonly #log: Logger;
  #watch: Disposable | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Changes come one after the other: the last one wanted is the one that holds. */
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  /** Installs the rules, then watches over them. */
  static async start(rules: Rules, log: Logger): Promise<FirewallKeeper> {
    const keeper = new FirewallKeeper(rules, log);
    await keeper.change(rules);
    await keeper.#open();
    return keeper;
  }

  /** Replaces the rules. */
  change(rules: Rules): Promise<void> {
    this.#rules = rules;
    const change = this.#work.then(() => installRules(this.#rules));
    this.#work = change.catch(() => {});
    return change;
  }

  private constructor(rules: Rules, log: Logger) {
    this.#rules = rules;
    this.#log = log;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watch?.[Symbol.dispose]();
    await this.#work;
  }

  async #open(): Promise<void> {
    const changed = (change: FirewallChange) => {
      if (this.#concerns(change)) this.#lookSoon();
    };
    const lost = () => {
      this.#watch = undefined;
      this.#lookSoon();
    };
    this.#watch = await watchNftables(changed, lost);
  }

  /** Our own table, the one that iptables keeps Docker's and ufw's rules and the policy of FORWARD in, or firewalld's. */
  #concerns({ family, table }: FirewallChange): boolean {
    return (
      ((family === "inet" || family === "bridge") && table === tableName(this.#rules.owner)) ||
      ((family === "ip" || family === "ip6") && table === "filter") ||
      table === FIREWALLD
    );
  }

  #lookSoon(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#work = this.#work
        .then(() => this.#look())
        .catch((error) => {
          this.#log.error("Could not keep the firewall rules", { error: toHavreError(error) });
        });
    }, SETTLE_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    if (!this.#watch) await this.#open();
    await repairRules(this.#rules);
  }
}
