import type { Platform } from "../../spec/mod.ts";
import type { BaseImage } from "./graph.ts";
import type { ExecLimits } from "./ops.ts";

/** What a build is asked beside its Dockerfile. */
export interface GraphOptions {
  /** Name or number of the stage to build; undefined: the last. */
  readonly target: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Run every step again, or those of the stages named. */
  readonly noCache: boolean | readonly string[];
  /** Of the image. */
  readonly platform: Platform;
  /** Of this machine. */
  readonly buildPlatform: Platform;
  /** Of `RUN` without `--network`. */
  readonly network: string;
  readonly extraHosts: readonly string[];
  readonly limits: ExecLimits;
  /** Names that `FROM` and `--from` may use for contexts of the client. */
  readonly namedContexts: readonly string[];
  /** Rights beyond a container's that steps may take (`security.insecure`); none unless they are granted. */
  readonly allow?: readonly string[];
  /** How the history tells of a step: as Docker's own builder did, or as BuildKit does. */
  readonly history: "classic" | "buildkit";
  /** The platform as the names of steps have it, where there are several. */
  readonly inNames?: string;
  /** What no time in the image is to be later than, milliseconds since the epoch (`SOURCE_DATE_EPOCH`). */
  readonly epoch?: number;
}

/** Finds the image that a `FROM` or `--from` names, fetching it where that is needed. */
export type FindImage = (name: string, platform: Platform, signal: AbortSignal) => Promise<BaseImage>;
