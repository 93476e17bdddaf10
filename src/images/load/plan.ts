import type { Digest } from "../../base/mod.ts";
import type { BlobInfo } from "../../content/mod.ts";
import type { Descriptor, ImageConfig, Reference } from "../../spec/mod.ts";
import type { StoredManifest } from "../objects.ts";

/** An image as an archive describes it, before its layers are made. */
export interface PlannedImage {
  readonly config: ImageConfig;
  readonly configBlob: BlobInfo;
  /** As many as the configuration has diff ids, lowest first. */
  readonly layers: readonly Descriptor[];
  readonly names: readonly Reference[];
  readonly parent: Digest | undefined;
  /** The manifest as it came; undefined: the archive has none and one is made. */
  readonly manifest: StoredManifest | undefined;
}
