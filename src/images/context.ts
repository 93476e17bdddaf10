import type { Clock } from "../base/mod.ts";
import type { ContentStore } from "../content/mod.ts";
import type { Snapshotter } from "../snapshots/mod.ts";
import type { Platform } from "../spec/mod.ts";
import type { ReadTransaction, Store } from "../store/mod.ts";
import type { ImageEvent, ImageUsers } from "./images.ts";
import type { Keeper, Needs } from "./keeper.ts";

/** What every use-case of this folder works with. */
export interface Context {
  readonly store: Store;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly users: ImageUsers;
  readonly clock: Clock;
  /** Of this machine: chosen from an index, and given to what is made here. */
  readonly platform: Platform;
  readonly keeper: Keeper;
  /** How long what was removed stays for `rollback`, in milliseconds. */
  readonly retention: number;
  /** Blobs and layers that objects other than images need. */
  otherNeeds(tx: ReadTransaction): Needs;
  emit(event: ImageEvent): void;
}
