import { type Logger, toHavreError } from "../base/mod.ts";
import { type FirewallChange, watchNftables } from "../kernel/mod.ts";
import { type BridgeRules, installRules, repairRules, tableName } from "./firewall.ts";

/** Firewalls change many things at once: looked at when they have been quiet for so long. */
const SETTLE_MS = 200;

/**
 * Keeps the bridge's rules in force. A reload of the host's firewall (`nft flush ruleset`, as Debian's own service does)
 * takes our table with it, and Docker or ufw started later drop what they do not know: containers would lose the
 * network until the daemon's next start. The kernel tells of such changes; nothing is polled.
 */
export class FirewallKeeper {
  readonly #rules: BridgeRules;
  readonly #log: Logger;
  #watch: Disposable | undefined;
  #timer: NodeJS.Timeout | undefined;
  #repair: Promise<void> | undefined;
  #closed = false;

  /** Installs the rules, then watches over them. */
  static async start(rules: BridgeRules, log: Logger): Promise<FirewallKeeper> {
    await installRules(rules);
    const keeper = new FirewallKeeper(rules, log);
    await keeper.#open();
    return keeper;
  }

  private constructor(rules: BridgeRules, log: Logger) {
    this.#rules = rules;
    this.#log = log;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watch?.[Symbol.dispose]();
    await this.#repair;
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

  /** Our own table, or the one that iptables keeps Docker's and ufw's rules and the policy of FORWARD in. */
  #concerns({ ipv4, table }: FirewallChange): boolean {
    return ipv4 && (table === tableName(this.#rules.bridge) || table === "filter");
  }

  #lookSoon(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#repair = this.#look().catch((error) => {
        this.#log.error("Could not keep the firewall rules of the default network", { error: toHavreError(error) });
      });
    }, SETTLE_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    if (!this.#watch) await this.#open();
    await repairRules(this.#rules);
  }
}
