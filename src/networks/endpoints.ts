import type { Logger } from "../base/mod.ts";
import type { Store, WriteTransaction } from "../store/mod.ts";
import { endpointKind, type StoredEndpoint } from "./model.ts";

/**
 * Who is joined to which network, written to the store a turn of the event loop later, all changes of that turn at
 * once: a start does not wait for the disk, and eight parallel ones wait for one write. What a kill loses between is
 * found again by looking: a container is started after the write only (`Sandbox.recorded`), and an endpoint whose
 * interface is gone is not attached.
 */
export class Endpoints {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #byId = new Map<string, StoredEndpoint>();
  /** Ids of objects to write; those not in `#byId` are deleted. */
  readonly #dirty = new Set<string>();
  #next: Promise<void> | undefined;

  constructor(store: Store, log: Logger) {
    this.#store = store;
    this.#log = log;
    for (const endpoint of store.view((tx) => tx.list(endpointKind))) this.#byId.set(endpoint.id, endpoint);
  }

  static id(networkId: string, containerId: string): string {
    return `${networkId}/${containerId}`;
  }

  get(networkId: string, containerId: string): StoredEndpoint | undefined {
    return this.#byId.get(Endpoints.id(networkId, containerId));
  }

  list(): readonly StoredEndpoint[] {
    return [...this.#byId.values()];
  }

  ofContainer(containerId: string): readonly StoredEndpoint[] {
    return this.list().filter((endpoint) => endpoint.containerId === containerId);
  }

  ofNetwork(networkId: string): readonly StoredEndpoint[] {
    return this.list().filter((endpoint) => endpoint.networkId === networkId);
  }

  /** The promise is of the write; a failure is in the log already. */
  put(endpoint: StoredEndpoint): Promise<void> {
    this.#byId.set(endpoint.id, endpoint);
    return this.#changed(endpoint.id);
  }

  delete(id: string): void {
    if (this.#byId.delete(id)) this.#changed(id);
  }

  /** Writes what is not written yet. On failure (a full disk) it stays to be written with the next change. */
  async flush(): Promise<void> {
    if (this.#dirty.size === 0) return;
    const ids = [...this.#dirty];
    const write = (tx: WriteTransaction) => {
      const changed = ids.map((id) => this.#byId.get(id)).filter((endpoint) => endpoint !== undefined);
      for (const id of ids) tx.delete(endpointKind, id);
      for (const endpoint of changed) tx.put(endpointKind, endpoint);
      this.#dirty.clear();
    };
    try {
      // After a power cut no container runs: what it had is only a preference.
      await this.#store.update(write, { durable: false });
    } catch (error) {
      for (const id of ids) this.#dirty.add(id);
      throw error;
    }
  }

  #changed(id: string): Promise<void> {
    this.#dirty.add(id);
    if (this.#next) return this.#next;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#next = promise;
    promise.catch((error) => this.#log.error("Could not record network endpoints", { error }));
    setImmediate(() => {
      this.#next = undefined;
      resolve(this.flush());
    });
    return promise;
  }
}
