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
  | { readonly kind: "checked" }
  | BuildMade
  | BuildFailure;

/** Shows a build while it runs. */
export interface BuildView {
  line(line: BuildLine): void;
  /** Nothing more comes. */
  end(): void;
}
