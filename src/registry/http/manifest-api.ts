import type { Actor } from "../context.ts";
import { RegistryFault } from "../fault.ts";
import { MANIFEST_LIMIT, type Manifests } from "../manifests.ts";
import { asIndex, type Mirrors } from "../mirror/mirrors.ts";
import { checkDigest, checkTag, readReference } from "../names.ts";
import type { Referrers } from "../referrers.ts";
import type { Tags } from "../tags.ts";
import { type Answer, jsonAnswer, type RegistryRequest, readBody } from "./exchange.ts";
import { page } from "./pages.ts";

const TAGS_LIMIT = 10_000;
const REPOSITORIES_LIMIT = 1000;

/** Manifests, tags, referrers and the catalogue over HTTP. */
export class ManifestApi {
  readonly #manifests: Manifests;
  readonly #tags: Tags;
  readonly #referrers: Referrers;

  readonly #mirrors: Mirrors;

  constructor(manifests: Manifests, tags: Tags, referrers: Referrers, mirrors: Mirrors) {
    this.#manifests = manifests;
    this.#tags = tags;
    this.#referrers = referrers;
    this.#mirrors = mirrors;
  }

  async read(request: RegistryRequest, repository: string, reference: string): Promise<Answer> {
    const name = readReference(reference);
    await this.#mirrors.manifest(repository, name);
    const record = this.#manifests.find(repository, name);
    const headers = {
      "content-type": record.mediaType,
      "content-length": String(record.size),
      "docker-content-digest": record.digest,
      etag: `"${record.digest}"`,
    };
    if (request.header("if-none-match") === headers.etag) return { status: 304, headers: { etag: headers.etag } };
    if (request.method === "HEAD") return { status: 200, headers };
    return { status: 200, headers, body: await this.#manifests.bytes(record) };
  }

  async put(request: RegistryRequest, repository: string, reference: string, actor: Actor): Promise<Answer> {
    this.#mirrors.refuseWrites(repository);
    const name = readReference(reference);
    const tags = request.query.getAll("tag").map(checkTag);
    const bytes = await readBody(request, MANIFEST_LIMIT, tooLarge);
    const contentType = request.header("content-type");
    const record = await this.#manifests.put(repository, name, tags, bytes, contentType, actor);
    const headers: Record<string, string> = {
      location: `/v2/${repository}/manifests/${record.digest}`,
      "docker-content-digest": record.digest,
      "content-length": "0",
    };
    if (record.subject !== undefined) headers["oci-subject"] = record.subject;
    if (tags.length > 0) headers["oci-tag"] = tags.join(", ");
    return { status: 201, headers };
  }

  /** `force`: an immutable tag too. */
  async delete(repository: string, reference: string, actor: Actor, force: boolean): Promise<Answer> {
    const digest = await this.#manifests.delete(repository, readReference(reference), actor, force);
    return { status: 202, headers: { "content-length": "0", "docker-content-digest": digest } };
  }

  async tags({ query }: RegistryRequest, repository: string): Promise<Answer> {
    const tags = (await this.#mirrors.tags(repository)) ?? this.#tags.list(repository);
    const { names, headers } = page(tags, query, `/v2/${repository}/tags/list`, TAGS_LIMIT);
    return jsonAnswer({ name: repository, tags: names }, 200, headers);
  }

  /** `may`: which repositories the client is shown. */
  async catalog({ query }: RegistryRequest, may: (repository: string) => boolean): Promise<Answer> {
    const visible = this.#tags.repositories().filter(may);
    const { names, headers } = page(visible, query, "/v2/_catalog", REPOSITORIES_LIMIT);
    return jsonAnswer({ repositories: names }, 200, headers);
  }

  async referrers({ query }: RegistryRequest, repository: string, reference: string): Promise<Answer> {
    const artifactType = query.get("artifactType") ?? undefined;
    const digest = checkDigest(reference);
    const upstream = await this.#mirrors.referrers(repository, digest);
    const index = upstream
      ? asIndex(upstream.filter((one) => !artifactType || one.artifactType === artifactType))
      : await this.#referrers.list(repository, digest, artifactType);
    return jsonAnswer(index, 200, {
      "content-type": index.mediaType ?? "",
      ...(artifactType === undefined ? {} : { "oci-filters-applied": "artifactType" }),
    });
  }
}

function tooLarge(): RegistryFault {
  return new RegistryFault("SIZE_INVALID", `a manifest may have ${MANIFEST_LIMIT} bytes at most`);
}
