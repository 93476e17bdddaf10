import type { Clock, Logger } from "../../base/mod.ts";

const MAX_CONTAINERS = 512;
const MAX_NAMES = 128;

interface Asked {
  count: number;
  last: number;
}

/** Names that containers asked for and were not granted: in the log once each, and here for whoever asks why. In memory only. */
export class RefusedNames {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #containers = new Map<string, Map<string, Asked>>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Bounded: a container may ask for as many names as it likes. */
  add(containerId: string, name: string): void {
    const names = this.#containers.get(containerId) ?? new Map<string, Asked>();
    this.#containers.delete(containerId);
    this.#containers.set(containerId, names);
    if (this.#containers.size > MAX_CONTAINERS) dropFirst(this.#containers);
    const asked = names.get(name);
    if (!asked && names.size === MAX_NAMES) return;
    names.set(name, { count: (asked?.count ?? 0) + 1, last: this.#clock.now() });
    if (!asked) this.#log.warn("Refused a name that the container was not granted", { container: containerId, name });
  }

  of(containerId: string): readonly { readonly name: string; readonly count: number; readonly last: number }[] {
    return [...(this.#containers.get(containerId) ?? [])].map(([name, asked]) => ({ name, ...asked }));
  }
}

function dropFirst(map: Map<string, unknown>): void {
  const first = map.keys().next().value;
  if (first !== undefined) map.delete(first);
}
