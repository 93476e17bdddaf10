import { type Digest, isDigest } from "../../base/mod.ts";
import { DELTA_TYPE } from "../../content/mod.ts";
import type { Blobs } from "../blobs.ts";
import { RegistryFault } from "../fault.ts";
import type { Mirrors } from "../mirror/mirrors.ts";
import { checkDigest, checkName } from "../names.ts";
import { rangeOf, type Uploads } from "../uploads.ts";
import type { Answer, RegistryRequest } from "./exchange.ts";
import { readChunkRange, readRange } from "./range.ts";

/** Whether the client may pull from a repository: for a mount, which is never refused, only not done. */
export type MayPull = (repository: string) => boolean;

/** Blobs and uploads over HTTP. */
export class BlobApi {
  readonly #blobs: Blobs;
  readonly #uploads: Uploads;

  readonly #mirrors: Mirrors;

  constructor(blobs: Blobs, uploads: Uploads, mirrors: Mirrors) {
    this.#blobs = blobs;
    this.#uploads = uploads;
    this.#mirrors = mirrors;
  }

  async read(request: RegistryRequest, repository: string, reference: string): Promise<Answer> {
    const digest = checkDigest(reference);
    const coming = await this.#mirrors.blob(repository, digest);
    const isAsked = request.method === "HEAD";
    const { size, path } = coming
      ? { size: coming.size, path: "" }
      : isAsked
        ? await this.#blobs.tell(repository, digest)
        : this.#blobs.find(repository, digest);
    const part = (start: number, end: number) =>
      isAsked ? {} : { body: coming ? { chunks: coming.read(start, end) } : { path, start, end } };
    const headers = {
      "content-type": "application/octet-stream",
      "docker-content-digest": digest,
      etag: `"${digest}"`,
      "accept-ranges": "bytes",
      "cache-control": "max-age=31536000",
    };
    if (request.header("if-none-match") === headers.etag) return { status: 304, headers };
    const range = readRange(request.header("range"), size);
    if (!range) {
      const whole = { ...headers, "content-length": String(size) };
      return { status: 200, headers: whole, ...(size > 0 ? part(0, size) : {}) };
    }
    const partial = {
      ...headers,
      "content-length": String(range.end - range.start),
      "content-range": `bytes ${range.start}-${range.end - 1}/${size}`,
    };
    return { status: 206, headers: partial, ...part(range.start, range.end) };
  }

  async delete(repository: string, reference: string): Promise<Answer> {
    const digest = checkDigest(reference);
    await this.#blobs.delete(repository, digest);
    return { status: 202, headers: { "content-length": "0", "docker-content-digest": digest } };
  }

  /** POST: begins an upload, mounts a blob, or takes a whole one. */
  async begin(request: RegistryRequest, repository: string, mayPull: MayPull): Promise<Answer> {
    const { query } = request;
    this.#mirrors.refuseWrites(repository);
    const mount = query.get("mount");
    if (mount !== null && isDigest(mount) && (await this.#mount(repository, mount, query.get("from"), mayPull))) {
      return created(repository, mount);
    }
    const digest = query.get("digest");
    if (digest !== null && mount === null) {
      const wanted = checkDigest(digest);
      await this.#uploads.put(repository, wanted, request.body, lengthOf(request), request.signal);
      return created(repository, wanted);
    }
    const answer = accepted(repository, await this.#uploads.begin(repository), 0);
    if (!mayPull(repository)) return answer;
    // RFC 5789 § 3.1: what a PATCH of it may be, besides bytes as they are.
    return { ...answer, headers: { ...answer.headers, "accept-patch": `application/octet-stream, ${DELTA_TYPE}` } };
  }

  async status(repository: string, id: string): Promise<Answer> {
    const offset = await this.#uploads.offset(repository, id);
    return { ...accepted(repository, id, offset), status: 204 };
  }

  /** `mayRead`: the client may pull here, so that what it sends may be parts of what is here. */
  async append(request: RegistryRequest, repository: string, id: string, mayRead: boolean): Promise<Answer> {
    if (request.header("content-type") === DELTA_TYPE) {
      // Who may only push could else find out what is in a blob, by guessing its parts.
      if (!mayRead) throw new RegistryFault("DENIED", "parts of blobs may be used by who may pull them");
      const offset = await this.#uploads.appendDelta(repository, id, request.body, locationOf(repository, id));
      return accepted(repository, id, offset);
    }
    const range = readChunkRange(request.header("content-range"), lengthOf(request));
    const offset = await this.#uploads.append(repository, id, request.body, range, locationOf(repository, id));
    return accepted(repository, id, offset);
  }

  async finish(request: RegistryRequest, repository: string, id: string): Promise<Answer> {
    const asked = request.query.get("digest");
    if (asked === null) throw new RegistryFault("DIGEST_INVALID", "digest parameter missing");
    const digest = checkDigest(asked);
    const range = readChunkRange(request.header("content-range"), lengthOf(request));
    await this.#uploads.finish(repository, id, request.body, range, locationOf(repository, id), digest);
    return created(repository, digest);
  }

  async cancel(repository: string, id: string): Promise<Answer> {
    await this.#uploads.cancel(repository, id);
    return { status: 204 };
  }

  /** A blob that the client may not read elsewhere is not mounted: it must show that it has it. */
  async #mount(repository: string, digest: Digest, from: string | null, mayPull: MayPull): Promise<boolean> {
    const sources = from === null ? this.#blobs.holders(digest) : [checkName(from)];
    const source = sources.find(mayPull);
    return source !== undefined && this.#blobs.mount(repository, source, digest);
  }
}

function locationOf(repository: string, id: string): string {
  return `/v2/${repository}/blobs/uploads/${id}`;
}

function accepted(repository: string, id: string, offset: number): Answer {
  const headers = {
    location: locationOf(repository, id),
    range: rangeOf(offset),
    "docker-upload-uuid": id,
    "content-length": "0",
  };
  return { status: 202, headers };
}

function created(repository: string, digest: Digest): Answer {
  const location = `/v2/${repository}/blobs/${digest}`;
  return { status: 201, headers: { location, "docker-content-digest": digest, "content-length": "0" } };
}

function lengthOf(request: RegistryRequest): number | undefined {
  const text = request.header("content-length");
  return text === undefined ? undefined : Number(text);
}
