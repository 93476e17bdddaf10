import { existsSync, readFileSync } from "node:fs";
import { type Logger, toHavreError } from "../../base/mod.ts";
import {
  applyNftables,
  changeNftablesElements,
  NETLINK_NETFILTER,
  NetlinkSocket,
  nftablesTableExists,
  writeSysctl,
} from "../../kernel/mod.ts";
import { RulesetWatch } from "../ruleset-watch.ts";
import { type AddressFamily, hasIpv6 } from "./addresses.ts";
import { type Element, encodeElement } from "./elements.ts";
import { portTable, portTableName } from "./rules.ts";
import { ensureTurnaround, removeTurnaround, turnaroundNames } from "./turnaround.ts";

const SETTLE_MS = 50;

/**
 * The port tables in the kernel. Made by nft once for a daemon, then changed element by element without a process; made
 * again when someone has flushed the host's rules. The kernel tells of such changes, nothing is polled.
 */
export class PortRules {
  readonly #owner: string;
  readonly #wanted: () => readonly Element[];
  /** Kept open: closing it after a change waits for the kernel. */
  readonly #socket = new NetlinkSocket(NETLINK_NETFILTER);
  readonly #watch: RulesetWatch;
  /** The last making of the tables; each waits for the one before. */
  #making: Promise<void> = Promise.resolve();

  /** @param wanted all elements that there are to be, as of now. */
  constructor(owner: string, wanted: () => readonly Element[], log: Logger) {
    this.#owner = owner;
    this.#wanted = wanted;
    this.#watch = new RulesetWatch({
      concerns: ({ table }) => table === portTableName(owner),
      look: () => this.#look(),
      failed: (error) => log.error("Could not keep the rules of published ports", { error: toHavreError(error) }),
      settle: SETTLE_MS,
    });
  }

  /** Makes the tables, replacing what a daemon before left, and watches over them. */
  async open(): Promise<void> {
    await this.#watch.open();
    await this.#make();
  }

  /** Adds and removes elements that are in, or no longer in, what is wanted. */
  async change(removed: readonly Element[], added: readonly Element[]): Promise<void> {
    await this.#making.catch(() => {});
    const table = portTableName(this.#owner);
    const encode = (elements: readonly Element[]) => elements.map((element) => encodeElement(table, element));
    try {
      changeNftablesElements(this.#socket, encode(removed), encode(added));
      letLoopbackThrough(bridgesIn(added));
    } catch {
      // Someone has changed our tables, or they could not be made before: made as a whole they are right.
      await this.#make();
    }
  }

  async close(): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#making.catch(() => {});
    this.#socket[Symbol.dispose]();
  }

  #make(): Promise<void> {
    this.#making = this.#making
      .catch(() => {})
      .then(async () => {
        const names = turnaroundNames(this.#owner);
        using socket = new NetlinkSocket();
        ensureTurnaround(socket, names);
        const elements = this.#wanted();
        await applyNftables(
          families()
            .map((family) => portTable(this.#owner, family, names, elements))
            .join(""),
        );
        letLoopbackThrough(bridgesIn(elements));
      });
    return this.#making;
  }

  async #look(): Promise<void> {
    await this.#making.catch(() => {});
    const table = portTableName(this.#owner);
    if (!families().every((family) => nftablesTableExists(this.#socket, family, table))) await this.#make();
  }
}

function families(): readonly AddressFamily[] {
  return hasIpv6() ? ["ip", "ip6"] : ["ip"];
}

function bridgesIn(elements: readonly Element[]): readonly string[] {
  return elements.flatMap(({ set, key: [first] }) =>
    set === "bridges" && first?.kind === "interface" ? first.name : [],
  );
}

/**
 * The kernel takes answers to 127.0.0.1 from bridges, so that the host reaches published ports there. Only once the rule
 * stands that drops what a container itself sends to loopback addresses. Returns the bridges that were new to it.
 */
export function letLoopbackThrough(bridges: readonly string[]): readonly string[] {
  const closed = bridges.filter((name) => {
    const path = `/proc/sys/net/ipv4/conf/${name}/route_localnet`;
    return existsSync(path) && readFileSync(path, "utf8").trim() === "0";
  });
  for (const name of closed) writeSysctl(`net/ipv4/conf/${name}/route_localnet`, "1");
  return closed;
}

/** Removes the port tables of a daemon, and what belongs to them, from the host. Free of effect when there are none. */
export async function removePortRules(owner: string): Promise<void> {
  const table = portTableName(owner);
  await applyNftables(
    families()
      .map((family) => `add table ${family} ${table}\ndelete table ${family} ${table}\n`)
      .join(""),
  );
  using socket = new NetlinkSocket();
  removeTurnaround(socket, turnaroundNames(owner));
}
