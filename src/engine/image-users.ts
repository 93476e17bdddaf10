import type { ImageUsers } from "../images/mod.ts";
import type { Store } from "../store/mod.ts";
import type { VolumeUsers } from "../volumes/mod.ts";
import { containerKind } from "./container.ts";
import { hasProcess } from "./lookup.ts";

/** Which containers use an image, as the images' removal rules ask. */
export function containerUsers(store: Store): ImageUsers {
  return {
    usersOf: (id) =>
      store
        .view((tx) => tx.find(containerKind, "image", id))
        .filter((container) => container.status.state !== "removing")
        .map((container) => ({ id: container.id, running: hasProcess(container) })),
  };
}

/** Which containers have a volume, as the volumes' removal rules ask. */
export const volumeUsers: VolumeUsers = {
  usersIn: (tx, name) => tx.find(containerKind, "volume", name).map(({ id }) => id),
};
