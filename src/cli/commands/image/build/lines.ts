/** What the daemon tells of a build (`POST /havre/v1/build`): a line each. */
export interface PlannedVertex {
  readonly digest: string;
  readonly name: string;
}

export interface BuildWarning {
  readonly kind: "warning";
  readonly rule: string;
  readonly message: string;
  readonly description: string;
  readonly url: string;
  readonly file: string;
  readonly lines: { readonly first: number; readonly last: number };
  readonly quoted: string;
}

export interface BuildFailure {
  readonly kind: "failed";
  readonly message: string;
  readonly hint?: string;
  readonly step?: string;
  readonly output?: string;
  readonly exitCode?: number;
  readonly state?: string;
  readonly file?: string;
  readonly line?: number;
  readonly quoted?: string;
}

export interface BuildMade {
  readonly kind: "made";
  readonly id?: string;
  readonly digest?: string;
  readonly names?: readonly string[];
}

/** Something about one vertex. Times in milliseconds since the epoch. */
export type VertexLine =
  | { readonly kind: "started"; readonly vertex: string; readonly at: number }
  | { readonly kind: "log"; readonly vertex: string; readonly text: string; readonly at: number }
  | {
      readonly kind: "progress";
      readonly vertex: string;
      readonly id: string;
      readonly current: number;
      readonly total: number;
      readonly done: boolean;
    }
  | {
      readonly kind: "finished";
      readonly vertex: string;
      readonly at: number;
      readonly cached: boolean;
      readonly failed: boolean;
    };

export type BuildLine =
  | { readonly kind: "planned"; readonly vertices: readonly PlannedVertex[] }
  | VertexLine
  | {
      readonly kind: "fetching";
      readonly name: string;
      readonly message: { readonly status?: string; readonly id?: string; readonly progress?: string };
    }
  | BuildWarning
  | CacheLine
  | { readonly kind: "checked" }
  | BuildMade
  | BuildFailure;

/** What is asked of or sent to caches in folders. */
export type CacheLine =
  | { readonly kind: "wanted"; readonly id: string; readonly folder: string; readonly digest: string }
  | { readonly kind: "blob"; readonly folder: string; readonly digest: string; readonly size: number }
  | { readonly kind: "cached"; readonly folder: string; readonly manifest: CacheManifest };

export interface CacheManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Shows a build while it runs. */
export interface BuildView {
  line(line: BuildLine): void;
  /** Nothing more comes. */
  end(): void;
}
