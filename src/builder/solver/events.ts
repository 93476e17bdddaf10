import type { Digest, HavreError } from "../../base/mod.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Tree } from "./tree.ts";

/**
 * What happens in a build, in order: the one stream that every face is made from (the lines of the Docker API, the live
 * tree of `havre build`, BuildKit's status). Times in milliseconds since the epoch.
 */
export type BuildEvent =
  /** The vertices of the build, inputs first. Told before any of them begins. */
  | { readonly kind: "planned"; readonly vertices: readonly Vertex[] }
  | { readonly kind: "started"; readonly vertex: Digest; readonly at: number }
  /** A process of the vertex began, in a container of this id. */
  | { readonly kind: "running"; readonly vertex: Digest; readonly container: string }
  | {
      readonly kind: "log";
      readonly vertex: Digest;
      readonly stream: "stdout" | "stderr";
      readonly data: Uint8Array;
      readonly at: number;
    }
  /** Bytes of something on their way; `total` 0: unknown. */
  | {
      readonly kind: "progress";
      readonly vertex: Digest;
      readonly id: string;
      readonly current: number;
      readonly total: number;
      readonly done: boolean;
      readonly at: number;
    }
  | {
      readonly kind: "finished";
      readonly vertex: Digest;
      readonly at: number;
      readonly cached: boolean;
      /** What it came to. */
      readonly tree?: Tree;
      readonly error?: HavreError;
    };

export type OnBuildEvent = (event: BuildEvent) => void;
