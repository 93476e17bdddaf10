import type { Digest } from "../base/mod.ts";
import type { Descriptor } from "../spec/mod.ts";
import { defineKind } from "../store/mod.ts";

/** That a repository has a blob. The bytes are one file, however many repositories have it. */
export interface BlobLink {
  /** `repository@digest`. */
  readonly id: string;
  readonly repository: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A manifest or index of a repository; its bytes are a blob. */
export interface ManifestRecord {
  /** `repository@digest`. */
  readonly id: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  /** What a list of referrers says of it: its own artifact type, else that of its configuration. */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Digest;
  /** Configuration and layers that must be here. */
  readonly blobs: readonly Digest[];
  /** Manifests that an index names. */
  readonly manifests: readonly Digest[];
  /** Bytes of all that it names, as it says. */
  readonly contentSize: number;
  readonly since: number;
}

export interface TagChange {
  readonly digest: Digest;
  readonly at: number;
  /** Who; undefined: nobody had to say. */
  readonly by?: string;
}

/** A name that points to a manifest, with where it pointed before, oldest first. */
export interface TagRecord {
  /** `repository:tag`. */
  readonly id: string;
  readonly repository: string;
  readonly name: string;
  readonly digest: Digest;
  readonly at: number;
  readonly history: readonly TagChange[];
}

/** An upload under way. What came is a resumable ingest of the content store. */
export interface UploadRecord {
  readonly id: string;
  readonly repository: string;
  readonly since: number;
}

export const blobLinks = defineKind<BlobLink>("registry-blob", {
  repository: { unique: false, values: ({ repository }) => [repository] },
  digest: { unique: false, values: ({ digest }) => [digest] },
});
export const manifestRecords = defineKind<ManifestRecord>("registry-manifest", {
  repository: { unique: false, values: ({ repository }) => [repository] },
  digest: { unique: false, values: ({ digest }) => [digest] },
  /** What it names, as its repository has it: a part is needed while there is one. */
  part: {
    unique: false,
    values: ({ repository, blobs, manifests }) =>
      [...blobs, ...manifests].map((part) => inRepository(repository, part)),
  },
  subject: {
    unique: false,
    values: ({ repository, subject }) => (subject === undefined ? [] : [inRepository(repository, subject)]),
  },
});
export const tagRecords = defineKind<TagRecord>("registry-tag", {
  repository: { unique: false, values: ({ repository }) => [repository] },
  target: { unique: false, values: ({ repository, digest }) => [inRepository(repository, digest)] },
});
export const uploadRecords = defineKind<UploadRecord>("registry-upload");

/** The id of a blob or manifest of a repository. */
export function inRepository(repository: string, digest: Digest): string {
  return `${repository}@${digest}`;
}

export function tagId(repository: string, tag: string): string {
  return `${repository}:${tag}`;
}

export function descriptorOf({ mediaType, digest, size, artifactType, annotations }: ManifestRecord): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}
