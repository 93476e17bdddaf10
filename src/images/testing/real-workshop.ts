import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/mod.ts";
import { FileContentStore } from "../../content/mod.ts";
import { OverlaySnapshotter } from "../../snapshots/mod.ts";
import { SqliteStore } from "../../store/mod.ts";
import { LocalImages } from "../local-images.ts";

/** Images on real layers, in a folder of its own or one given (as another daemon left it). Needs root. */
export class RealWorkshop implements AsyncDisposable {
  readonly folder: string;
  readonly store: SqliteStore;
  readonly content: FileContentStore;
  readonly snapshots: OverlaySnapshotter;
  readonly images: LocalImages;

  private constructor(folder: string) {
    this.folder = folder;
    this.store = new SqliteStore(join(folder, "state.db"));
    this.content = new FileContentStore(folder);
    this.snapshots = new OverlaySnapshotter(folder);
    const { store, content, snapshots } = this;
    this.images = new LocalImages({ store, content, snapshots, users: { usersOf: () => [] }, clock: systemClock });
  }

  static async open(folder = mkdtempSync(join(tmpdir(), "havre-images-"))): Promise<RealWorkshop> {
    const shop = new RealWorkshop(folder);
    shop.content.recover();
    await shop.snapshots.recover();
    return shop;
  }

  /** Closes without removing anything. */
  async close(): Promise<void> {
    await this.snapshots.settled();
    this.snapshots.hide();
    this.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async load(archive: AsyncIterable<Uint8Array>): Promise<string> {
    let said = "";
    await this.images.load(archive, ({ stream = "" }) => {
      said += stream;
    });
    return said;
  }
}
