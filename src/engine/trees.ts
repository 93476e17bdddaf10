import type { Identities } from "../identities/mod.ts";
import type { Snapshotter } from "../snapshots/mod.ts";

/**
 * Who reads containers' mounted trees beside their processes: a tree stays mounted until its process has ended and the
 * last of them has left.
 */
export class MountedTrees {
  readonly #snapshots: Snapshotter;
  readonly #identities: Identities;
  readonly #users = new Map<string, number>();

  constructor(snapshots: Snapshotter, identities: Identities) {
    this.#snapshots = snapshots;
    this.#identities = identities;
  }

  /**
   * Mounts the container's tree with the owners its processes see as they are on the host, or joins those who use it; to be
   * followed by `leave`. Returns its folder.
   */
  async join(id: string): Promise<string> {
    this.#users.set(id, (this.#users.get(id) ?? 0) + 1);
    try {
      using owners = this.#identities.ownersOf(id);
      return await this.#snapshots.mount(id, owners);
    } catch (error) {
      this.leave(id);
      throw error;
    }
  }

  leave(id: string): void {
    const others = (this.#users.get(id) ?? 0) - 1;
    if (others > 0) this.#users.set(id, others);
    else this.#users.delete(id);
  }

  /** Unmounts the tree of a container that has no process, unless somebody uses it still. */
  async release(id: string): Promise<void> {
    if (!this.#users.has(id)) await this.#snapshots.unmount(id);
  }
}
