import { chmodSync, existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf } from "../base/mod.ts";
import {
  AT_FDCWD,
  asRootOf,
  chownAt,
  MappedMount,
  mountOverlay,
  type OverlayRequest,
  statAt,
  type UserNamespace,
  unmount,
} from "../kernel/mod.ts";

const TREE = "tree";

/**
 * Where the trees of containers with user ids of their own are mounted: `<folder>/<key>/tree`. The runtime sets such a
 * container up as the container's own root, who has no way through the folders of writable layers; this one lets it
 * pass, and by its group nobody else: programs of an image that change their user would serve anyone on this host.
 */
export class MappedTrees {
  readonly #folder: string;
  /** Overlayfs takes only trees that are mounted somewhere: kernels before 6.15. Found out by trying. */
  #needPlaces: boolean;

  /** `needPlaces`: for tests, as on an older kernel. */
  constructor(folder: string, needPlaces = false) {
    this.#folder = folder;
    this.#needPlaces = needPlaces;
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    chmodSync(folder, 0o711);
  }

  /** The tree's place while it is mounted for mapped ids; undefined: it is not. */
  find(key: string): string | undefined {
    const place = this.#place(key);
    return existsSync(place) ? place : undefined;
  }

  /**
   * Mounts an overlay whose layers and upper tree show the owners that `owners` maps them to: on disk nothing is owned by
   * anyone else than in any other container. Overlayfs itself cannot be mapped, what it is made of can (kernel 5.19).
   * `writable`: the folder with `upper` and `work`.
   */
  mount(key: string, overlay: OverlayRequest & { readonly writable: string }, owners: UserNamespace): string {
    const place = this.#place(key);
    const around = dirname(place);
    mkdirSync(place, { recursive: true, mode: 0o700 });
    chownAt(AT_FDCWD, around, 0, owners.root.gid);
    chmodSync(around, 0o710);
    using mapped = new DisposableStack();
    try {
      const shown = [overlay.writable, ...overlay.lower].map((tree) => mapped.use(new MappedMount(tree, owners)));
      const mount = ([top = "", ...lower]: readonly string[]) => {
        const trees = { ...overlay, lower, upper: `${top}/upper`, work: `${top}/work` };
        asRootOf(owners.root, () => mountOverlay(trees, place));
      };
      if (!this.#needPlaces) this.#needPlaces = !accepted(() => mount(shown.map(({ path }) => path)));
      if (this.#needPlaces) withPlaces(join(around, "layers"), shown, mount);
    } catch (error) {
      this.remove(key);
      throw error;
    }
    return place;
  }

  /** Takes the empty place away once nothing is mounted there. */
  remove(key: string): void {
    const place = this.#place(key);
    for (const folder of [place, dirname(place)]) {
      try {
        rmdirSync(folder);
      } catch (error) {
        const code = errnoOf(error);
        if (code !== "ENOENT" && code !== "EBUSY" && code !== "ENOTEMPTY") throw error;
      }
    }
  }

  /** Places at which nothing is mounted: those of an earlier boot, or of a mount that was cut off. */
  recover(): void {
    for (const key of readdirSync(this.#folder)) {
      const place = this.find(key);
      const mounted = place && statAt(AT_FDCWD, place).device !== statAt(AT_FDCWD, dirname(place)).device;
      if (!mounted) this.remove(key);
    }
  }

  #place(key: string): string {
    return join(this.#folder, key, TREE);
  }
}

/** False when the kernel takes no such mount. */
function accepted(mount: () => void): boolean {
  try {
    mount();
    return true;
  } catch (error) {
    if (errnoOf(error) === "EINVAL") return false;
    throw error;
  }
}

/** Gives each tree a place below `folder` for the time of `use`: what is mounted from there stays. */
function withPlaces(folder: string, trees: readonly MappedMount[], use: (places: readonly string[]) => void): void {
  mkdirSync(folder, { mode: 0o700 });
  const places: string[] = [];
  try {
    for (const tree of trees) {
      const place = join(folder, String(places.length));
      mkdirSync(place);
      places.push(place);
      tree.attach(place);
    }
    use(places);
  } finally {
    for (const place of places) {
      unmount(place, { detach: true });
      rmdirSync(place);
    }
    rmdirSync(folder);
  }
}
