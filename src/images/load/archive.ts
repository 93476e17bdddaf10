import { posix } from "node:path";
import { type Digest, HavreError, isDigest } from "../../base/mod.ts";
import type { BlobInfo, ContentStore } from "../../content/mod.ts";
import { readTar, type TarEntry } from "../../snapshots/mod.ts";
import { decompress } from "../compression.ts";
import { MAX_DOCUMENT, parseJson } from "../parse.ts";

/** Most members an image archive may have: thousands of layers with room to spare. */
const MAX_MEMBERS = 100_000;
/** Most links from one name to the next. */
const MAX_LINKS = 16;
const DOCUMENTS = new Set(["manifest.json", "index.json", "oci-layout", "repositories"]);

/** The members of an image archive, their content stored as blobs: names mean nothing but keys, nothing is written under them. */
export class Archive {
  readonly #content: ContentStore;
  readonly #files = new Map<string, BlobInfo>();
  readonly #links = new Map<string, string>();
  readonly #folders = new Set<string>();

  private constructor(content: ContentStore) {
    this.#content = content;
  }

  /**
   * Reads a whole archive, compressed or not. `invalid-argument` for names that lead out of it, that come twice with
   * different content, or blobs that are not what their name says (`data-loss`); `resource-exhausted` beyond the limits.
   */
  static async read(content: ContentStore, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Archive> {
    const archive = new Archive(content);
    let members = 0;
    for await (const entry of readTar(decompress(source, signal))) {
      signal?.throwIfAborted();
      if (++members > MAX_MEMBERS) {
        throw new HavreError("resource-exhausted", `The image archive has more than ${MAX_MEMBERS} members`);
      }
      await archive.#take(entry, signal);
    }
    return archive;
  }

  /** The blob behind a name, links followed inside the archive. `invalid-argument` naming what lacks. */
  file(name: string): BlobInfo {
    const found = this.find(name);
    if (!found) {
      throw new HavreError("invalid-argument", `The image archive lacks ${JSON.stringify(name)}`, {
        hint: "The archive may be cut short, or not be an image archive at all",
      });
    }
    return found;
  }

  find(name: string): BlobInfo | undefined {
    let at = memberName(name);
    for (let links = 0; links < MAX_LINKS; links++) {
      const file = this.#files.get(at);
      if (file) return file;
      const target = this.#links.get(at);
      if (target === undefined) return undefined;
      at = target;
    }
    throw new HavreError("invalid-argument", `The image archive has links in a circle at ${JSON.stringify(name)}`);
  }

  /** A blob of an OCI layout in this archive. */
  blob(digest: Digest): BlobInfo | undefined {
    return this.find(`blobs/${digest.replace(":", "/")}`);
  }

  /** A small JSON document. */
  async json(name: string): Promise<unknown> {
    return parseJson(await this.#content.read(this.file(name).digest, MAX_DOCUMENT), `${name} in the image archive`);
  }

  /** Names of the folders at the top. */
  folders(): readonly string[] {
    return [...this.#folders].sort();
  }

  async #take(entry: TarEntry, signal: AbortSignal | undefined): Promise<void> {
    const { header } = entry;
    const name = memberName(header.path);
    if (name.includes("/")) this.#folders.add(name.slice(0, name.indexOf("/")));
    if (header.type === "symlink") this.#addLink(name, posix.join(posix.dirname(name), header.linkTarget));
    else if (header.type === "hardlink") this.#addLink(name, header.linkTarget);
    else if (header.type === "file") this.#addFile(name, await this.#store(name, entry, signal));
    else if (header.type !== "directory") {
      throw new HavreError(
        "invalid-argument",
        `The image archive has a member of type ${header.type}: ${JSON.stringify(name)}`,
      );
    }
  }

  async #store(name: string, entry: TarEntry, signal: AbortSignal | undefined): Promise<BlobInfo> {
    if (entry.header.extents) {
      // A few bytes of holes could ask for any amount of disk.
      throw new HavreError("invalid-argument", `The image archive has a sparse file: ${name}`);
    }
    if (DOCUMENTS.has(name) && entry.header.size > MAX_DOCUMENT) {
      throw new HavreError("resource-exhausted", `${name} in the image archive is larger than ${MAX_DOCUMENT} bytes`);
    }
    const named = digestFromName(name);
    return this.#content.ingest(entry.body(), named ? { digest: named } : undefined, signal);
  }

  #addFile(name: string, blob: BlobInfo): void {
    const known = this.#files.get(name);
    if (this.#links.has(name) || (known && known.digest !== blob.digest)) throw twice(name);
    this.#files.set(name, blob);
  }

  #addLink(name: string, to: string): void {
    const target = memberName(to);
    if (this.#files.has(name) || (this.#links.has(name) && this.#links.get(name) !== target)) throw twice(name);
    this.#links.set(name, target);
  }
}

function twice(name: string): HavreError {
  return new HavreError(
    "invalid-argument",
    `The image archive has two different members named ${JSON.stringify(name)}`,
  );
}

function memberName(path: string): string {
  const normal = posix.normalize(`./${path}`).replace(/\/+$/, "");
  if (normal === ".." || normal.startsWith("../")) {
    throw new HavreError(
      "invalid-argument",
      `The image archive has a name that leads out of it: ${JSON.stringify(path)}`,
    );
  }
  return normal;
}

/** `blobs/sha256/<hex>` promises its content. */
function digestFromName(name: string): Digest | undefined {
  const [, algorithm, hex] = /^blobs\/([^/]+)\/([^/]+)$/.exec(name) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : undefined;
}
