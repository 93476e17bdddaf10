import type { Digest } from "../base/mod.ts";
import type { ExecutionConfig, HistoryEntry, ImageConfig } from "../spec/mod.ts";

/** An image by its identity: the digest of its configuration (Docker's image id). */
export interface Image {
  readonly id: Digest;
  readonly config: ImageConfig;
  /** Chain ids, lowest layer first. */
  readonly chain: readonly Digest[];
  /** Familiar `name:tag` forms. */
  readonly tags: readonly string[];
  /** Familiar `name@digest` forms. */
  readonly digests: readonly string[];
  readonly manifest: Digest | undefined;
  /** The image it was committed or built from here. */
  readonly parent?: Digest;
  /** Bytes of all layers, unpacked. */
  readonly size: number;
  /** Milliseconds since the epoch; of the configuration. */
  readonly created: number;
  readonly lastTagged: number | undefined;
}

export type ImageEventAction = "import" | "load" | "save" | "tag" | "untag" | "delete" | "pull" | "push" | "prune";
export interface ImageEvent {
  readonly action: ImageEventAction;
  /** Empty for `prune`. */
  readonly id: string;
  readonly name: string;
  /** Of the image. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Of `prune`: bytes. */
  readonly reclaimed?: number;
}

/** One line of progress as Docker's JSON stream has it. */
export interface ProgressMessage {
  readonly status?: string;
  readonly stream?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: unknown;
}
export type OnProgress = (message: ProgressMessage) => void;

export interface ImageFilters {
  readonly dangling?: boolean;
  readonly labels?: readonly string[];
  readonly reference?: readonly string[];
  readonly before?: string;
  readonly since?: string;
  readonly until?: number;
}

export interface RemoveResult {
  readonly untagged?: string;
  readonly deleted?: string;
}

export interface ImportRequest {
  readonly source: AsyncIterable<Uint8Array>;
  readonly repository?: string;
  readonly tag?: string;
  readonly message?: string;
  /** Dockerfile instructions (`--change`). */
  readonly changes: readonly string[];
  readonly platform?: string;
}

export interface CommitRequest {
  readonly container: {
    readonly id: string;
    readonly imageId: Digest | undefined;
    readonly layerKey: string;
    readonly config: ExecutionConfig;
    readonly command: string;
  };
  readonly reference?: string;
  readonly author?: string;
  readonly message?: string;
  readonly changes: readonly string[];
}

/** Who uses an image; asked before a removal. Implemented by the engine's container index. */
export interface ImageUsers {
  /** Containers of the image, running or not. */
  usersOf(id: Digest): readonly { readonly id: string; readonly running: boolean }[];
}

/** Names → images, and all that makes, moves and removes images on this machine. */
export interface Images {
  /** By id, short id, name, name:tag, name@digest. `not-found` with Docker's text, also for an ambiguous short id and an image of another `platform` (`os[/arch[/variant]]`). */
  resolve(nameOrId: string, platform?: string): Image;
  find(nameOrId: string): Image | undefined;
  get(id: Digest): Image | undefined;
  list(filters: ImageFilters, all?: boolean): readonly Image[];
  history(nameOrId: string): readonly {
    readonly entry: HistoryEntry;
    readonly id: Digest | undefined;
    readonly tags: readonly string[];
    readonly size: number;
  }[];
  tag(nameOrId: string, repository: string, tag?: string): Promise<void>;
  remove(
    nameOrId: string,
    options: { readonly force: boolean; readonly prune: boolean; readonly keep?: number },
  ): Promise<readonly RemoveResult[]>;
  prune(filters: {
    readonly dangling: boolean;
    readonly until?: number;
    readonly labels?: readonly string[];
  }): Promise<{ readonly removed: readonly RemoveResult[]; readonly reclaimed: number }>;
  import(request: ImportRequest, progress: OnProgress, signal?: AbortSignal): Promise<Digest>;
  load(archive: AsyncIterable<Uint8Array>, progress: OnProgress, signal?: AbortSignal): Promise<void>;
  save(names: readonly string[], signal?: AbortSignal): AsyncIterable<Uint8Array>;
  commit(request: CommitRequest): Promise<Digest>;
  onEvent(listener: (event: ImageEvent) => void): Disposable;
}
