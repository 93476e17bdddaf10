import type { Digest } from "../../base/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import type { Mirror } from "../settings/settings.ts";

/** Another registry, as far as a mirror reads from it. `path` is the repository's name there. */
export interface Upstream {
  /** A manifest by tag or digest, verified; undefined when it is not there. `unavailable` when it cannot be asked. */
  manifest(path: string, reference: string): Promise<UpstreamManifest | undefined>;
  /** What a tag points to; undefined when it is not there, or not told without the manifest. */
  digestOf(path: string, tag: string): Promise<Digest | undefined>;
  /** The bytes of a blob from `offset` on, or from the start; not verified. */
  blob(
    path: string,
    digest: Digest,
    offset: number,
  ): Promise<{ readonly offset: number; readonly body: AsyncIterable<Uint8Array> }>;
  tags(path: string): Promise<readonly string[]>;
  referrers(path: string, digest: Digest): Promise<readonly Descriptor[]>;
}

export interface UpstreamManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** Makes the connection to a mirror's upstream; handed in, since the client of registries is another folder's. */
export type Connect = (mirror: Mirror) => Upstream;
