import { type Digest, Digester, digestAlgorithm, digestOf } from "../base/mod.ts";
import { mediaTypes } from "../spec/mod.ts";
import type { ReadTransaction, WriteTransaction } from "../store/mod.ts";
import type { Actor, RegistryContext } from "./context.ts";
import { noRoom, RegistryFault } from "./fault.ts";
import { type ManifestBody, readManifest } from "./manifest-body.ts";
import type { ManifestName } from "./names.ts";
import { blobLinks, inRepository, type ManifestRecord, manifestRecords, tagId, tagRecords } from "./objects.ts";
import { RecentBytes } from "./recent-bytes.ts";
import type { Tags } from "./tags.ts";
import type { Room } from "./uploads.ts";

/** Bytes of one manifest (the specification wants 4 MiB taken at least). */
export const MANIFEST_LIMIT = 8 << 20;
const RECENT_LIMIT = 32 << 20;

export interface ManifestPut {
  readonly digest: Digest;
  readonly subject?: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** Manifests and indexes of repositories. */
export class Manifests {
  readonly #context: RegistryContext;
  readonly #tags: Tags;
  readonly #room: Room;
  readonly #recent = new RecentBytes(RECENT_LIMIT);

  constructor(context: RegistryContext, tags: Tags, room: Room) {
    this.#context = context;
    this.#tags = tags;
    this.#room = room;
  }

  /** MANIFEST_UNKNOWN; NAME_UNKNOWN when nothing at all is known of the repository. */
  find(repository: string, name: ManifestName): ManifestRecord {
    return this.#context.store.view((tx) => {
      const digest = "digest" in name ? name.digest : tx.get(tagRecords, tagId(repository, name.tag))?.digest;
      const record = digest === undefined ? undefined : tx.get(manifestRecords, inRepository(repository, digest));
      if (record) return record;
      throw unknownManifest(name);
    });
  }

  async bytes({ digest }: ManifestRecord): Promise<Uint8Array> {
    const known = this.#recent.get(digest);
    if (known) return known;
    const bytes = await this.#context.content.read(digest, MANIFEST_LIMIT);
    this.#recent.set(digest, bytes);
    return bytes;
  }

  /**
   * Stores a manifest, all of whose parts must be here, and points `tags` to it. `partly`: parts may be missing, for a
   * registry that fetches them when they are asked for.
   */
  async put(
    repository: string,
    name: ManifestName,
    tags: readonly string[],
    bytes: Uint8Array,
    contentType: string | undefined,
    actor: Actor,
    partly = false,
  ): Promise<ManifestPut> {
    const digest = digestFor(bytes, name);
    const body = readManifest(bytes, contentType);
    const record = this.#record(repository, digest, bytes.length, body);
    const pointers = "tag" in name ? [name.tag, ...tags] : tags;
    this.#context.store.view((tx) => {
      if (!partly) checkParts(tx, repository, body);
      const isNew = !tx.get(manifestRecords, record.id);
      if (isNew && !partly && record.size > this.#room(repository)) throw noRoom(repository);
      for (const tag of pointers) this.#tags.checkMove(tx, repository, tag, digest);
    });
    using _pin = this.#context.pins.pin(digest);
    await this.#context.content.put(bytes, { digest });
    await this.#context.store.update((tx) => {
      if (!partly) checkParts(tx, repository, body); // Something may have been deleted meanwhile.
      const known = tx.get(manifestRecords, record.id);
      tx.put(manifestRecords, known ? { ...record, since: known.since } : record);
      for (const tag of pointers) this.#tags.move(tx, repository, tag, digest, actor.name);
      if (partly) return;
      const change = { action: "push", repository, digest, mediaType: record.mediaType, size: record.size } as const;
      for (const tag of pointers) this.#context.changes.changed(tx, { ...change, tag, actor });
      if (pointers.length === 0) this.#context.changes.changed(tx, { ...change, actor });
    });
    const { mediaType, subject } = body;
    return { digest, mediaType, size: bytes.length, ...(subject === undefined ? {} : { subject }) };
  }

  /**
   * Deletes a manifest with the tags that point to it, or one tag. `force`: immutable ones too. Returns the manifest's
   * digest.
   */
  async delete(repository: string, name: ManifestName, actor: Actor, force = false): Promise<Digest> {
    return this.#context.store.update((tx) => this.remove(tx, repository, name, actor, force));
  }

  /** The same, within a transaction. */
  remove(tx: WriteTransaction, repository: string, name: ManifestName, actor: Actor, force: boolean): Digest {
    const change = { action: "delete", repository, actor } as const;
    if ("tag" in name) {
      const digest = this.#tags.remove(tx, repository, name.tag, force);
      this.#context.changes.changed(tx, { ...change, digest, tag: name.tag });
      return digest;
    }
    const record = tx.get(manifestRecords, inRepository(repository, name.digest));
    if (!record) throw unknownManifest(name);
    for (const { name: tag } of tx.find(tagRecords, "target", record.id)) {
      this.#tags.remove(tx, repository, tag, force);
    }
    tx.delete(manifestRecords, record.id);
    const { digest, mediaType, size } = record;
    this.#context.changes.changed(tx, { ...change, digest, mediaType, size });
    return digest;
  }

  #record(repository: string, digest: Digest, size: number, body: ManifestBody): ManifestRecord {
    const { mediaType, artifactType, annotations, subject, blobs, manifests, contentSize } = body;
    return {
      id: inRepository(repository, digest),
      repository,
      digest,
      size,
      mediaType,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined || subject === undefined ? {} : { annotations }),
      ...(subject === undefined ? {} : { subject }),
      blobs: blobs.map((one) => one.digest),
      manifests: manifests.map((one) => one.digest),
      contentSize,
      since: this.#context.clock.now(),
    };
  }
}

function digestFor(bytes: Uint8Array, name: ManifestName): Digest {
  if ("tag" in name) return digestOf(bytes);
  const digest = new Digester(digestAlgorithm(name.digest)).update(bytes).digest();
  if (digest === name.digest) return digest;
  throw new RegistryFault("DIGEST_INVALID", "provided digest did not match uploaded content", { detail: name.digest });
}

function checkParts(tx: ReadTransaction | WriteTransaction, repository: string, body: ManifestBody): void {
  for (const { digest, size } of body.blobs) {
    const id = inRepository(repository, digest);
    const link = tx.get(blobLinks, id) ?? tx.get(manifestRecords, id);
    if (!link) throw missingPart(digest);
    if (link.size !== size) throw wrongSize(digest, size, link.size);
  }
  for (const { digest, size } of body.manifests) {
    const id = inRepository(repository, digest);
    const part = tx.get(manifestRecords, id) ?? tx.get(blobLinks, id);
    if (!part) throw missingPart(digest);
    if (part.size !== size) throw wrongSize(digest, size, part.size);
  }
}

function missingPart(digest: Digest): RegistryFault {
  const message = "manifest references a manifest or blob unknown to registry";
  return new RegistryFault("MANIFEST_BLOB_UNKNOWN", message, { detail: digest });
}

function wrongSize(digest: Digest, said: number, real: number): RegistryFault {
  const why = `${digest} has ${real} bytes, not ${said}`;
  return new RegistryFault("MANIFEST_INVALID", `manifest invalid: ${why}`, { detail: why });
}

export function unknownManifest(name: ManifestName): RegistryFault {
  return new RegistryFault("MANIFEST_UNKNOWN", "manifest unknown", {
    detail: "tag" in name ? { Tag: name.tag } : { digest: name.digest },
  });
}

export function isIndex({ mediaType }: ManifestRecord): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerManifestList;
}
