import type { Digest } from "../../base/mod.ts";
import type { ExecutionConfig, HistoryEntry, ImageConfig, Platform } from "../../spec/mod.ts";
import type { Command, Stage } from "../dockerfile/mod.ts";
import type { Vertex } from "./vertex.ts";

/** An image that a stage stands on. */
export interface BaseImage {
  readonly id: Digest;
  /** As people call it. */
  readonly name: string;
  readonly config: ImageConfig;
}

/** An entry of the history an image will have. */
export type HistoryItem =
  /** From the base image. */
  | { readonly kind: "given"; readonly entry: HistoryEntry }
  | {
      readonly kind: "made";
      readonly createdBy: string;
      readonly comment?: string;
      /** What makes its layer; undefined: it only says something about the image. */
      readonly vertex: Vertex | undefined;
    };

/** A command of a stage with what comes of it. */
export interface GraphStep {
  readonly command: Command;
  /** From a trigger of the base image. */
  readonly onBuild: boolean;
  /** The instruction as written, its lines joined. */
  readonly text: string;
  /** Makes the tree after the step; the one before it where it changes none. */
  readonly vertex: Vertex;
  /** Whether the vertex is the step's own. */
  readonly changesTree: boolean;
  readonly state: ImageState;
}

/** What an image is beside its layers. */
export interface ImageState {
  readonly config: ExecutionConfig;
  readonly author: string;
  readonly history: readonly HistoryItem[];
}

export interface GraphStage {
  readonly stage: Stage;
  /** The text of its `FROM`. */
  readonly text: string;
  /** undefined: another stage, or nothing. */
  readonly base: BaseImage | undefined;
  readonly start: Vertex;
  readonly initial: ImageState;
  readonly steps: readonly GraphStep[];
  readonly platform: Platform;
}

/** A Dockerfile as a graph: the stages that the target needs, in the order of the file, the target last. */
export interface BuildGraph {
  readonly stages: readonly GraphStage[];
  readonly target: GraphStage;
}

export function endOf({ start, steps }: GraphStage): Vertex {
  return steps.at(-1)?.vertex ?? start;
}

export function stateOf({ initial, steps }: GraphStage): ImageState {
  return steps.at(-1)?.state ?? initial;
}
