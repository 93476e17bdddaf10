import type { Clock, IdSource, Logger } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import type { ImageMaker } from "../../images/mod.ts";
import type { Networks, Sandbox } from "../../networks/mod.ts";
import type { Runtime } from "../../runtime/mod.ts";
import type { Snapshotter } from "../../snapshots/mod.ts";
import type { RuntimeMount, RuntimeSpec } from "../../spec/mod.ts";
import type { ExecOp } from "../graph/ops.ts";

/** A process of a step, as the confinement is asked about it. */
export interface StepProcess {
  readonly id: string;
  readonly rootfs: string;
  readonly sandbox: Sandbox;
  /** Durable enough for the step: for the files a container gets from its host. */
  readonly folder: string;
  readonly op: ExecOp;
  /** Beyond those of every container. */
  readonly mounts: readonly RuntimeMount[];
  /** Beyond those of the step itself: secrets. */
  readonly env: readonly string[];
}

/** Confines a step's process as a container of the engine is confined. */
export interface Confinement {
  runtime: string;
  specFor(step: StepProcess): Promise<RuntimeSpec>;
}

/** What operations work with. */
export interface OpContext {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly images: ImageMaker;
  readonly networks: Networks;
  readonly runtime: Runtime;
  readonly confinement: Confinement;
  readonly clock: Clock;
  readonly newId: IdSource;
  readonly log: Logger;
  /** Durable and volatile folder of the builder. */
  readonly root: string;
  readonly run: string;
  /** Where the engine keeps bundles: what is in it and no container's is removed when a daemon starts. */
  readonly bundles: string;
}
