import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileContentStore } from "../../content/mod.ts";
import { type TarMember, writeTar } from "../../snapshots/mod.ts";
import { SqliteStore } from "../../store/mod.ts";
import type { ImageEvent, ImageUsers, ProgressMessage } from "../images.ts";
import { LocalImages } from "../local-images.ts";
import { MemorySnapshotter } from "./memory-snapshotter.ts";

/** Images in a folder of their own, with everything around them, for one test. */
export class Workshop implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "havre-images-"));
  readonly store = new SqliteStore(join(this.folder, "state.db"));
  readonly content = new FileContentStore(this.folder);
  readonly snapshots = new MemorySnapshotter();
  readonly events: string[] = [];
  readonly containers: { image: string; id: string; running: boolean }[] = [];
  readonly images: LocalImages;
  /** Milliseconds; one more at every look. */
  now = Date.UTC(2026, 0, 1);

  constructor(retention = 0) {
    const users: ImageUsers = { usersOf: (id) => this.containers.filter((container) => container.image === id) };
    this.images = new LocalImages({
      store: this.store,
      content: this.content,
      snapshots: this.snapshots,
      users,
      clock: { now: () => this.now++, sleep: async () => {} },
      platform: { os: "linux", architecture: "amd64" },
      retention,
    });
    this.images.onEvent((event: ImageEvent) => this.events.push(`${event.action} ${event.name}`));
  }

  [Symbol.dispose](): void {
    this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Imports a tree of one file as `name:tag`; different text makes a different image. */
  async make(reference: string, text = reference, changes: readonly string[] = []): Promise<string> {
    const [repository = "", tag] = reference.split(":");
    return this.images.import(
      { source: tarOf({ "file.txt": text }), changes, ...(repository && { repository }), ...(tag && { tag }) },
      () => {},
    );
  }

  /** Loads and answers with what the stream said. */
  async load(archive: AsyncIterable<Uint8Array>): Promise<string> {
    const messages: ProgressMessage[] = [];
    await this.images.load(archive, (message) => messages.push(message));
    return messages.map(({ stream }) => stream ?? "").join("");
  }

  blobCount(): number {
    return [...this.content.list()].length;
  }
}

export function tarOf(files: Readonly<Record<string, string | Uint8Array>>): AsyncGenerator<Uint8Array> {
  return writeTar(
    Object.entries(files).map(([path, content]): TarMember => {
      const body = Buffer.from(content);
      return { header: { path, size: body.length }, body };
    }),
  );
}

export async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

export async function* streamOf(bytes: Uint8Array, chunk = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}
