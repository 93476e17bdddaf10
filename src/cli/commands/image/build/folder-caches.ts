import { createHash, type Hash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { HavreError, isHavreError } from "../../../../base/mod.ts";
import type { Client } from "../../../../client/mod.ts";
import type { BuildLine, CacheManifest } from "./lines.ts";
import type { CacheOption } from "./request.ts";

/** How an OCI layout says what a manifest is called (OCI image-spec, annotations). */
const REF_NAME = "org.opencontainers.image.ref.name";
const HEX = /^[0-9a-f]{64}$/;

interface Entry extends CacheManifest {
  readonly annotations?: Readonly<Record<string, string>>;
}

/** As the daemon wants a cache to begin with: a folder's with the digest of its manifest, none when the folder has none. `invalid-argument`. */
export function importFrom(option: CacheOption): CacheOption {
  const { src = "", tag = "latest", digest } = option.attributes;
  if (option.type !== "local") return option;
  if (src === "") throw new HavreError("invalid-argument", "local cache importer requires src");
  const found = digest ?? readIndex(src).find(({ annotations }) => annotations?.[REF_NAME] === tag)?.digest;
  const { digest: _, ...attributes } = option.attributes;
  return { type: "local", attributes: { ...attributes, ...(found === undefined ? {} : { digest: found }) } };
}

/** As the daemon wants a cache to leave: with the files that the folder has. `invalid-argument`. */
export function exportTo(option: CacheOption): CacheOption {
  const { dest = "" } = option.attributes;
  if (option.type !== "local") return option;
  if (dest === "") throw new HavreError("invalid-argument", "dest is required for local cache");
  const folder = blobsOf(dest);
  const here = existsSync(folder) ? readdirSync(folder).filter((name) => HEX.test(name)) : [];
  return { type: "local", attributes: { ...option.attributes, here: here.map((hex) => `sha256:${hex}`).join(" ") } };
}

interface OpenFile {
  readonly fd: number;
  readonly path: string;
  readonly hash: Hash;
  missing: number;
}

/**
 * Caches of a build in folders of whoever asks for it (`type=local`): OCI layouts, as buildx writes and reads them. The daemon says what it
 * wants of them and what they are to have. A file has its name when it is whole; the index is written last.
 */
export class FolderCaches {
  readonly #client: Client;
  readonly #failure: AbortController;
  readonly #folders: ReadonlySet<string | undefined>;
  #open: OpenFile | undefined;

  /** `options`: those of the build; no other folder is touched. `failure`: aborted with the reason when the build cannot go on. */
  constructor(client: Client, options: readonly CacheOption[], failure: AbortController) {
    this.#client = client;
    this.#folders = new Set(options.map(({ attributes: { src, dest } }) => dest ?? src));
    this.#failure = failure;
  }

  /** Whether a line was for caches. */
  line(line: BuildLine): boolean {
    if ((line.kind === "wanted" || line.kind === "blob" || line.kind === "cached") && !this.#folders.has(line.folder))
      throw new HavreError("permission-denied", `The daemon speaks of a folder that is no cache: ${line.folder}`);
    switch (line.kind) {
      case "wanted":
        this.#give(line.id, blobPath(line.folder, line.digest)).catch((error: unknown) => this.#failure.abort(error));
        return true;
      case "blob":
        this.#begin(blobPath(line.folder, line.digest), line.size);
        return true;
      case "cached":
        writeIndex(line.folder, line.manifest);
        return true;
      default:
        return false;
    }
  }

  /** More of the file that the last line was about. */
  write(bytes: Uint8Array): void {
    const open = this.#open;
    if (!open) throw new HavreError("internal", "The daemon sent bytes of no file");
    told(open.path, () => {
      for (let done = 0; done < bytes.length; ) done += writeSync(open.fd, bytes, done);
    });
    open.hash.update(bytes);
    open.missing -= bytes.length;
    if (open.missing <= 0) this.#finish(open);
  }

  /** Nothing more comes: what is not whole goes. */
  end(): void {
    if (!this.#open) return;
    closeSync(this.#open.fd);
    rmSync(`${this.#open.path}.partial`, { force: true });
    this.#open = undefined;
  }

  async #give(id: string, path: string): Promise<void> {
    const missing = !existsSync(path);
    try {
      await this.#client.run("PUT", `/havre/v1/build/files/${id}`, {
        ...(missing ? { query: { missing } } : { body: createReadStream(path, { highWaterMark: 1 << 20 }) }),
        contentType: "application/octet-stream",
      });
    } catch (error) {
      // The build has ended, or does without it.
      if (!isHavreError(error, "not-found")) throw error;
    }
  }

  #begin(path: string, size: number): void {
    this.end();
    const open = told(path, () => {
      mkdirSync(join(path, ".."), { recursive: true });
      return { fd: openSync(`${path}.partial`, "w", 0o644), path, hash: createHash("sha256"), missing: size };
    });
    this.#open = open;
    if (size === 0) this.#finish(open);
  }

  #finish({ fd, path, hash, missing }: OpenFile): void {
    if (missing < 0 || !path.endsWith(hash.digest("hex")))
      throw new HavreError("data-loss", `What the daemon sent is not ${path}`);
    told(path, () => {
      fsyncSync(fd);
      renameSync(`${path}.partial`, path);
    });
    closeSync(fd);
    this.#open = undefined;
  }
}

function writeIndex(folder: string, manifest: CacheManifest): void {
  const path = join(folder, "index.json");
  const named: Entry = { ...manifest, annotations: { [REF_NAME]: "latest" } };
  const others = readIndex(folder).filter(({ annotations }) => annotations?.[REF_NAME] !== "latest");
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [...others, named],
  };
  told(path, () => {
    writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    writeFileSync(`${path}.new`, JSON.stringify(index));
    renameSync(`${path}.new`, path);
  });
}

/** None of a folder that is none, or that nobody finished. */
function readIndex(folder: string): readonly Entry[] {
  try {
    const { manifests } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as {
      readonly manifests?: readonly Entry[];
    };
    return manifests ?? [];
  } catch {
    return [];
  }
}

function blobsOf(folder: string): string {
  return join(folder, "blobs", "sha256");
}

function blobPath(folder: string, digest: string): string {
  const hex = digest.replace(/^sha256:/, "");
  if (!HEX.test(hex)) throw new HavreError("invalid-argument", `${digest} is no digest of a file in ${folder}`);
  return join(blobsOf(folder), hex);
}

/** What the disk refuses, with the place. */
function told<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new HavreError("failed-precondition", `The cache cannot be written: ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
