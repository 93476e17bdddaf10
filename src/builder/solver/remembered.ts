import type { Digest } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { LayeredTree } from "./tree.ts";

/** What another cache knows of a step. */
export interface Remembered {
  /** Of the layer it made; undefined: it changed nothing. */
  readonly diffId: Digest | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Results of steps that were run somewhere else: a cache that a build begins with. */
export interface RememberedSteps {
  find(key: Digest): Remembered | undefined;
  /** The blob of a layer, as it is there; undefined: it has only heard of the layer. */
  blob(diffId: Digest): Descriptor | undefined;
  /** Brings a blob into the content store. */
  fetch(blob: Descriptor, signal: AbortSignal): Promise<void>;
  /** Fetches a layer and makes it on `below`; undefined: it has only heard of it. */
  layer(diffId: Digest, below: Digest | undefined, signal: AbortSignal): Promise<ImageLayer | undefined>;
  /** An archive of a cache folder as it was; undefined: it has none of that id. */
  folder(id: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** Something from outside that went into a build (SLSA, `ResourceDescriptor`). */
export interface Material {
  readonly uri: string;
  /** By algorithm, in hexadecimal digits. */
  readonly digest: Readonly<Record<string, string>>;
}

/** A step of a build with what it came to: what goes into a cache for other builds. */
export interface SolvedStep {
  readonly vertex: Vertex;
  /** Each of them stands for the same. */
  readonly keys: readonly Digest[];
  readonly parent: LayeredTree;
  readonly layer: ImageLayer | undefined;
  readonly createdAt: number;
}
