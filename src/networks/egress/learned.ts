import type { Clock } from "../../base/mod.ts";
import { type Family, formatAddress } from "../ip.ts";
import type { EgressElement } from "./elements.ts";
import { type EgressRule, subnetOfRule } from "./model.ts";
import { type LimitedPlace, learnedElements } from "./place.ts";
import { LEARNED_HOURS } from "./rules.ts";

const HOUR_MS = 3_600_000;
/** Programs keep addresses longer than they are told to: an hour at least; a day at most. */
const LEAST_MS = LEARNED_HOURS * HOUR_MS;
const MOST_MS = 24 * HOUR_MS;
/** Of one container: whoever answers for a granted name must not fill the sets of all. */
const MAX_ELEMENTS = 1024;

interface Learned {
  readonly element: EgressElement;
  readonly address: string;
  /** Unknown of what a daemon before learned. */
  readonly name: string | undefined;
  readonly until: number;
}

interface Address {
  readonly family: Family;
  readonly address: bigint;
}

/**
 * Addresses that are this host's alone, a link's, nobody's or many's: no answer for a name leads there, whoever gives it.
 * A name's owner would otherwise choose what a container reaches (DNS rebinding).
 */
const SHUT = [
  ...["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"],
  ...["::/96", "::ffff:0:0/96", "fe80::/10", "ff00::/8", "fd00:ec2::254"],
].flatMap((host) => subnetOfRule({ host }) ?? []);

/** Which addresses containers were told for granted names, and until when each is granted. */
export class LearnedNames {
  readonly #clock: Clock;
  /** By interface, then by set and element; the oldest first. */
  readonly #places = new Map<string, Map<string, Learned>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What to tell the kernel; nothing for what is granted for long yet. */
  learn(
    place: LimitedPlace,
    rules: readonly EgressRule[],
    name: string,
    addresses: readonly Address[],
    ttl: number,
  ): { readonly removed: readonly EgressElement[]; readonly added: readonly EgressElement[] } {
    const now = this.#clock.now();
    const timeout = Math.min(MOST_MS, Math.max(LEAST_MS, ttl * 1000));
    const known = this.#places.get(place.hostInterface) ?? new Map<string, Learned>();
    this.#places.set(place.hostInterface, known);
    const removed: EgressElement[] = [];
    const added: EgressElement[] = [];
    for (const address of addresses.filter((one) => !isShut(one))) {
      for (const bare of learnedElements(place, rules, address)) {
        const element = { ...bare, timeout };
        const key = `${element.set} ${element.text}`;
        const former = known.get(key);
        if (former?.name !== undefined && former.until - now > timeout / 2) continue;
        if (former) removed.push(former.element);
        known.delete(key);
        known.set(key, {
          element,
          address: formatAddress(address.family, address.address),
          name,
          until: now + timeout,
        });
        added.push(element);
      }
    }
    for (const [key, { element }] of known) {
      if (known.size <= MAX_ELEMENTS) break;
      known.delete(key);
      removed.push(element);
    }
    return { removed, added: added.filter(({ set, text }) => known.has(`${set} ${text}`)) };
  }

  /** Everything that was granted there, to be taken away. */
  dismiss(hostInterface: string): readonly EgressElement[] {
    const known = [...(this.#places.get(hostInterface)?.values() ?? [])];
    this.#places.delete(hostInterface);
    return known.map(({ element }) => element);
  }

  namesOf(hostInterface: string, address: string): readonly string[] {
    const known = [...(this.#places.get(hostInterface)?.values() ?? [])];
    return known.flatMap((one) => (one.address === address && one.name !== undefined ? [one.name] : []));
  }

  /** All that holds now, with the time that is left to it. */
  all(): readonly EgressElement[] {
    const now = this.#clock.now();
    return [...this.#places.values()].flatMap((known) =>
      [...known.values()].flatMap(({ element, until }) => (until > now ? [{ ...element, timeout: until - now }] : [])),
    );
  }

  /** Takes over what the kernel has of a daemon before. `stale`: what belongs to nobody here. */
  adopt(
    places: readonly LimitedPlace[],
    kept: readonly { readonly element: EgressElement; readonly source: string; readonly address: string }[],
  ): { readonly stale: readonly EgressElement[] } {
    const stale: EgressElement[] = [];
    for (const { element, source, address } of kept) {
      const place = places.find(({ addresses }) =>
        addresses.some((own) => formatAddress(own.family, own.address) === source),
      );
      if (!place) {
        stale.push(element);
        continue;
      }
      const known = this.#places.get(place.hostInterface) ?? new Map<string, Learned>();
      this.#places.set(place.hostInterface, known);
      const key = `${element.set} ${element.text}`;
      if (!known.has(key))
        known.set(key, { element, address, name: undefined, until: this.#clock.now() + (element.timeout ?? 0) });
    }
    return { stale };
  }
}

function isShut({ family, address }: Address): boolean {
  return SHUT.some((subnet) => subnet.family === family && address >= subnet.base && address <= lastAddress(subnet));
}

function lastAddress({ family, base, prefixLength }: (typeof SHUT)[number]): bigint {
  return base + (1n << BigInt((family === 4 ? 32 : 128) - prefixLength)) - 1n;
}
