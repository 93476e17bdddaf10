import type { Image } from "../images/mod.ts";
import type { Platform } from "../spec/mod.ts";
import type { CacheExport } from "./cache/export-cache.ts";
import type { Dockerfile, SourceFile } from "./dockerfile/mod.ts";
import type { BuildGraph } from "./graph/graph.ts";
import type { FindImage, GraphOptions } from "./graph/options.ts";
import type { ProvenanceWish } from "./provenance.ts";
import type { OnBuildEvent } from "./solver/events.ts";
import type { RememberedSteps } from "./solver/remembered.ts";
import type { Solved, Supplies } from "./solver/solver.ts";

export interface BuildRequest {
  readonly dockerfile: SourceFile;
  readonly options: GraphOptions;
  readonly supplies: Supplies;
  readonly findImage: FindImage;
  /** Platforms to build for; undefined: that of the options. */
  readonly platforms?: readonly Platform[];
  /** What to call the image. */
  readonly names: readonly string[];
  /** Also the images between the steps, each the parent of the next, as Docker's own builder leaves them. */
  readonly keepSteps: boolean;
  /** What every time in the image is to be, milliseconds since the epoch (`SOURCE_DATE_EPOCH`). */
  readonly epoch?: number;
  /** When a step fails, keep what it began with as an image of this platform: `state` of the `BuildFailed`. */
  readonly keepsFailed?: Platform;
  /** All layers that the build made as one. */
  readonly squash?: boolean;
  /** Caches of elsewhere that it begins with. */
  readonly remembered?: readonly RememberedSteps[];
  /** Where what it finds out goes when it has succeeded. */
  readonly cacheTo?: readonly CacheExport[];
  /** The image carries a cache of its own layers. */
  readonly inlineCache?: boolean;
  /** What is to be said about the image. */
  readonly attest?: AttestWish;
}

/** What is said about an image that is built. */
export interface AttestWish {
  readonly provenance?: ProvenanceWish;
  /** Bills of materials in these formats. */
  readonly bills: readonly ("spdx" | "cyclonedx")[];
  /** In an index with the image, too, as BuildKit has it. */
  readonly inIndex: boolean;
  /** Runs the work where it is told of. */
  told(work: () => Promise<void>): Promise<void>;
}

export interface BuildObserver {
  /** Before anything runs. */
  planned(plan: BuildGraph, dockerfile: Dockerfile): void;
  readonly event: OnBuildEvent;
}

export interface BuildResult {
  /** The one for this machine where there are several. */
  readonly image: Image;
  readonly images: readonly Image[];
}

/** A platform of a build with what it came to. */
export interface BuiltPlatform {
  readonly request: FilesRequest;
  readonly platform: Platform;
  readonly plan: BuildGraph;
  readonly solved: Solved;
}

/** The files of a result, as long as they are asked for. */
export interface PlatformFiles {
  readonly platform: Platform;
  readonly folder: string;
}

/** A build whose result is no image. */
export type FilesRequest = Omit<BuildRequest, "names" | "keepSteps">;
