import { type Logger, toHavreError } from "../base/mod.ts";
import type { FirewallChange } from "../kernel/mod.ts";
import { FIREWALLD, installRules, type Rules, repairRules, tableName } from "./firewall.ts";
import { RulesetWatch } from "./ruleset-watch.ts";

const SETTLE_MS = 200;

/**
 * Keeps the rules of a daemon's bridges in force. A reload of the host's firewall (`nft flush ruleset`, as Debian's own service does)
 * takes our table with it, and Docker or ufw started later drop what they do not know: containers would lose the
 * network until the daemon's next start. The kernel tells of such changes; nothing is polled.
 */
export class FirewallKeeper {
  #rules: Rules;
  readonly #watch: RulesetWatch;
  /** Changes come one after the other: the last one wanted is the one that holds. */
  #work: Promise<void> = Promise.resolve();

  /** Installs the rules, then watches over them. */
  static async start(rules: Rules, log: Logger): Promise<FirewallKeeper> {
    const keeper = new FirewallKeeper(rules, log);
    await keeper.change(rules);
    await keeper.#watch.open();
    return keeper;
  }

  /** Replaces the rules. */
  change(rules: Rules): Promise<void> {
    this.#rules = rules;
    return this.#inTurn(() => installRules(this.#rules));
  }

  private constructor(rules: Rules, log: Logger) {
    this.#rules = rules;
    this.#watch = new RulesetWatch({
      concerns: (change) => this.#concerns(change),
      look: () => this.#inTurn(() => repairRules(this.#rules)),
      failed: (error) => log.error("Could not keep the firewall rules", { error: toHavreError(error) }),
      settle: SETTLE_MS,
    });
  }

  async close(): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#work;
  }

  /** Our own table, the one that iptables keeps Docker's and ufw's rules and the policy of FORWARD in, or firewalld's. */
  #concerns({ family, table }: FirewallChange): boolean {
    return (
      ((family === "inet" || family === "bridge") && table === tableName(this.#rules.owner)) ||
      ((family === "ip" || family === "ip6") && table === "filter") ||
      table === FIREWALLD
    );
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }
}
