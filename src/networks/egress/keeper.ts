import { type Clock, isHavreError, type Logger, toHavreError } from "../../base/mod.ts";
import {
  applyNftables,
  changeNftablesElements,
  listNftablesTable,
  NETLINK_NETFILTER,
  NetlinkSocket,
  nftablesTableExists,
} from "../../kernel/mod.ts";
import { parseAddress } from "../ip.ts";
import { RulesetWatch } from "../ruleset-watch.ts";
import { type EgressElement, toKernel } from "./elements.ts";
import { LearnedNames } from "./learned.ts";
import { type EgressRefusals, matchesName } from "./model.ts";
import { type LimitedPlace, standingElements } from "./place.ts";
import { keptElements, refusedConnections } from "./readings.ts";
import { RefusedNames } from "./refused-names.ts";
import { egressTable, egressTableName } from "./rules.ts";

export type { LimitedPlace } from "./place.ts";

const SETTLE_MS = 50;

/**
 * Keeps in the kernel what limited containers may reach: a transaction by netlink for each that comes, goes, or learns an
 * address of a name. The table is made again when somebody has flushed it; the kernel tells of that, nothing is polled.
 */
export class EgressKeeper {
  readonly #owner: string;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #socket = new NetlinkSocket(NETLINK_NETFILTER);
  readonly #places = new Map<string, LimitedPlace>();
  readonly #learned: LearnedNames;
  readonly #refusedNames: RefusedNames;
  readonly #watch: RulesetWatch;
  #making: Promise<void> = Promise.resolve();
  #opened = false;
  #closed = false;

  constructor(owner: string, log: Logger, clock: Clock) {
    this.#owner = owner;
    this.#log = log;
    this.#clock = clock;
    this.#learned = new LearnedNames(clock);
    this.#refusedNames = new RefusedNames(log, clock);
    this.#watch = new RulesetWatch({
      concerns: ({ table }) => this.#opened && table === egressTableName(owner),
      look: () => this.#look(),
      failed: (error) => this.#complain(error),
      settle: SETTLE_MS,
    });
  }

  /** Makes the table for those who were admitted so far; what a daemon before left of the learned and refused stays. Repeatable. */
  async open(): Promise<void> {
    await this.#watch.open();
    await this.#make();
    this.#opened = true;
  }

  /** Settles when the place is limited for certain. */
  async admit(place: LimitedPlace): Promise<void> {
    const former = this.#places.get(place.hostInterface);
    this.#places.set(place.hostInterface, place);
    const gone = former ? [...standingElements(former), ...this.#learned.dismiss(place.hostInterface)] : [];
    this.#change(gone, standingElements(place));
    await this.#making;
  }

  dismiss(hostInterface: string): void {
    const former = this.#places.get(hostInterface);
    if (!this.#places.delete(hostInterface) || !former) return;
    this.#change([...standingElements(former), ...this.#learned.dismiss(hostInterface)], []);
  }

  /**
   * A name's addresses are granted to whoever may reach that name, at once.
   * @param ttl seconds.
   */
  learn(hostInterfaces: readonly string[], name: string, addresses: readonly string[], ttl: number): void {
    for (const hostInterface of hostInterfaces) {
      const place = this.#places.get(hostInterface);
      const rules = place?.egress.rules.filter(({ host }) => matchesName(host, name)) ?? [];
      if (!place || rules.length === 0) continue;
      const parsed = addresses.flatMap((text) => parseAddress(text) ?? []);
      const { removed, added } = this.#learned.learn(place, rules, name, parsed, ttl);
      if (added.length > 0) this.#change(removed, added);
    }
  }

  /** A name was asked for that is not granted. */
  refuseName(containerId: string, name: string): void {
    this.#refusedNames.add(containerId, name);
  }

  /** What a container was refused between two times; `hostInterfaces` and `addresses` are or were its own. */
  async refusals(
    containerId: string,
    hostInterfaces: readonly string[],
    addresses: readonly string[],
    since: number,
    until: number,
  ): Promise<EgressRefusals> {
    const table = await listNftablesTable("inet", egressTableName(this.#owner));
    const connections = refusedConnections(table, new Set(addresses), this.#clock.now()).filter(
      ({ last }) => last >= since && last <= until,
    );
    const namesOf = (address: string) => hostInterfaces.flatMap((one) => this.#learned.namesOf(one, address));
    return {
      connections: connections.map((one) => ({ ...one, names: [...new Set(namesOf(one.address))] })),
      names: this.#refusedNames.of(containerId).filter(({ last }) => last >= since && last <= until),
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    await this.#making.catch(() => {});
    this.#socket[Symbol.dispose]();
  }

  /** Where that fails the table is made anew with all elements: someone has flushed it, or changed it. */
  #change(removed: readonly EgressElement[], added: readonly EgressElement[]): void {
    if (this.#closed || !this.#opened) return;
    const table = egressTableName(this.#owner);
    const stays = new Set(added.map(({ set, text }) => `${set} ${text}`));
    const gone = removed.filter(({ set, text, timeout }) => timeout !== undefined || !stays.has(`${set} ${text}`));
    const change = (off: readonly EgressElement[], on: readonly EgressElement[]) =>
      changeNftablesElements(
        this.#socket,
        off.map((one) => toKernel(table, one)),
        on.map((one) => toKernel(table, one)),
      );
    try {
      change(gone, added);
    } catch (error) {
      // What has run out is not there to be removed.
      if (isHavreError(error, "not-found") && gone.length > 0 && this.#changeEach(change, gone, added)) return;
      const made = this.#make();
      made.catch((failure) => this.#complain(failure));
    }
  }

  #changeEach(
    change: (off: readonly EgressElement[], on: readonly EgressElement[]) => void,
    gone: readonly EgressElement[],
    added: readonly EgressElement[],
  ): boolean {
    if (!nftablesTableExists(this.#socket, "inet", egressTableName(this.#owner))) return false;
    for (const one of gone) {
      try {
        change([one], []);
      } catch (error) {
        if (!isHavreError(error, "not-found")) return false;
      }
    }
    try {
      if (added.length > 0) change([], added);
      return true;
    } catch {
      return false;
    }
  }

  #make(): Promise<void> {
    this.#making = this.#making
      .catch(() => {})
      .then(async () => {
        const name = egressTableName(this.#owner);
        const kept = keptElements(await listNftablesTable("inet", name));
        const { stale } = this.#learned.adopt([...this.#places.values()], kept);
        const elements = [...this.#places.values()].flatMap(standingElements);
        const text = egressTable(this.#owner, elements);
        const remove = stale.map((one) => `delete element inet ${name} ${one.set} { ${one.text} }\n`);
        await applyNftables(text);
        // Apart: one that runs out at this moment must not undo the rest.
        for (const line of remove) await applyNftables(line).catch(() => {});
        const again = this.#learned.all();
        for (let at = 0; at < again.length; at += 200) {
          try {
            changeNftablesElements(
              this.#socket,
              [],
              again.slice(at, at + 200).map((one) => toKernel(name, one)),
            );
          } catch (error) {
            this.#complain(error);
          }
        }
        this.#catchUp(elements);
      });
    return this.#making;
  }

  /** Some may have come or gone while nft ran. */
  #catchUp(told: readonly EgressElement[]): void {
    const keyOf = ({ set, text }: EgressElement): string => `${set} ${text}`;
    const name = egressTableName(this.#owner);
    const wanted = [...this.#places.values()].flatMap(standingElements);
    const [before, now] = [new Set(told.map(keyOf)), new Set(wanted.map(keyOf))];
    for (const one of told.filter((former) => !now.has(keyOf(former))))
      changeNftablesElements(this.#socket, [toKernel(name, one)], []);
    for (const one of wanted.filter((late) => !before.has(keyOf(late))))
      changeNftablesElements(this.#socket, [], [toKernel(name, one)]);
  }

  #complain(error: unknown): void {
    this.#log.error("Could not keep the rules of outbound traffic", { error: toHavreError(error) });
  }

  async #look(): Promise<void> {
    await this.#making.catch(() => {});
    if (!this.#closed && !nftablesTableExists(this.#socket, "inet", egressTableName(this.#owner))) await this.#make();
  }
}
