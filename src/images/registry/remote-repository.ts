import {
  type Digest,
  Digester,
  digestAlgorithm,
  digestOf,
  HavreError,
  isDigest,
  isHavreError,
} from "../../base/mod.ts";
import { DELTA_TYPE } from "../../content/mod.ts";
import { type Descriptor, mediaTypes } from "../../spec/mod.ts";
import { RegistryError, registryError } from "./failures.ts";
import type { RegistryRequest, RegistryResponse } from "./http.ts";
import type { Session } from "./registry.ts";

/** Of what refers to a manifest. */
const MAX_DOCUMENT = 4 << 20;
/** The specification's least that a registry must take; nothing honest is larger. */
const MAX_MANIFEST = 4 << 20;
/** How often anything is tried. */
export const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const ACCEPT = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifestList,
  mediaTypes.dockerManifest,
].join(", ");

/** A manifest or index as the registry has it. */
export interface RemoteManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** An upload that was begun. */
export interface Upload {
  /** Where it goes on. */
  readonly location: string;
  /** The registry puts blobs together from parts of those it has. */
  readonly takesDeltas: boolean;
}

/** One repository of a registry, through OCI distribution 1.1 (and Docker's registry v2, its forerunner). */
export class RemoteRepository {
  readonly path: string;
  readonly #session: Session;

  constructor(session: Session, path: string) {
    this.#session = session;
    this.path = path;
  }

  /** `host[:port]` that is spoken to. */
  get host(): string {
    return this.#session.endpoint.host;
  }

  /** Fetches a manifest by tag or digest; its digest and size are verified. `not-found`, `data-loss`. */
  async manifest(reference: string, signal?: AbortSignal, expected?: Descriptor): Promise<RemoteManifest> {
    return this.#patiently(signal, async () => {
      const response = await this.#read("GET", `manifests/${reference}`, { accept: ACCEPT }, signal);
      if (response.status !== 200) throw await registryError(response, `Reading manifest ${reference}`);
      const bytes = await response.bytes(MAX_MANIFEST);
      const digest = manifestDigest(response, reference, bytes);
      if (expected && bytes.byteLength !== expected.size) {
        throw new HavreError(
          "data-loss",
          `Manifest ${digest} has ${bytes.byteLength} bytes, not the ${expected.size} promised`,
        );
      }
      const mediaType = response.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
      return { descriptor: { mediaType: mediaType || mediaTypes.ociManifest, digest, size: bytes.byteLength }, bytes };
    });
  }

  /** The digest a tag has now, without its manifest; undefined when it is not there. */
  async manifestDigest(reference: string, signal?: AbortSignal): Promise<Digest | undefined> {
    const response = await this.#read("HEAD", `manifests/${reference}`, { accept: ACCEPT }, signal);
    await response.discard();
    const digest = response.headers.get("docker-content-digest") ?? "";
    return response.status === 200 && isDigest(digest) ? digest : undefined;
  }

  /** All tags, page by page. */
  async *tags(signal?: AbortSignal): AsyncGenerator<string> {
    let next: string | undefined = this.#url("tags/list");
    for (let page = 0; next !== undefined && page < 10_000; page++) {
      const response = await this.#session.send({ method: "GET", url: next, signal }, this.#scopes("pull"));
      if (response.status !== 200) throw await registryError(response, `Listing tags of ${this.path}`);
      const link = /<([^>]+)>;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
      const { tags } = JSON.parse(Buffer.from(await response.bytes(MAX_MANIFEST)).toString("utf8")) as {
        tags?: unknown;
      };
      for (const tag of Array.isArray(tags) ? tags : []) if (typeof tag === "string") yield tag;
      next = link === undefined ? undefined : new URL(link, next).href;
    }
  }

  /**
   * The bytes of a blob from `offset` on, if the registry can begin there, else from 0. What comes is not verified here.
   * @returns where the bytes begin.
   */
  async blob(
    digest: Digest,
    offset: number,
    signal?: AbortSignal,
  ): Promise<{ readonly offset: number; readonly body: AsyncIterable<Uint8Array> }> {
    const headers = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const response = await this.#read("GET", `blobs/${digest}`, headers, signal);
    if (response.status === 206) {
      const from = Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1] ?? Number.NaN);
      if (from === offset) return { offset, body: response.body() };
      await response.discard();
      throw new RegistryError(502, "", "unavailable", `Asked for bytes from ${offset} on, the registry sent others`);
    }
    if (response.status === 200) return { offset: 0, body: response.body() };
    throw await registryError(response, `Reading blob ${digest}`);
  }

  /** Bytes `start` to before `end` of a blob, not verified; undefined when the registry sends no parts. */
  async blobPart(
    digest: Digest,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const response = await this.#read("GET", `blobs/${digest}`, { range: `bytes=${start}-${end - 1}` }, signal);
    const sent = /^bytes (\d+)-(\d+)\//.exec(response.headers.get("content-range") ?? "");
    if (response.status === 206 && Number(sent?.[1]) === start && Number(sent?.[2]) === end - 1) return response.body();
    if (response.status >= 300) throw await registryError(response, `Reading blob ${digest}`);
    await response.discard();
    return undefined;
  }

  /** The same at once, for few bytes. `not-implemented` when the registry sends no parts. */
  async smallPart(digest: Digest, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    const body = await this.blobPart(digest, start, end, signal);
    if (!body) throw new HavreError("not-implemented", `${this.host} sends no parts of blobs`);
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    return Buffer.concat(parts);
  }

  /** A whole blob of at most `limit` bytes, verified. */
  async smallBlob({ digest }: Pick<Descriptor, "digest">, limit: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#patiently(signal, async () => {
      const response = await this.#read("GET", `blobs/${digest}`, {}, signal);
      if (response.status !== 200) throw await registryError(response, `Reading blob ${digest}`);
      const bytes = await response.bytes(limit);
      if (new Digester(digestAlgorithm(digest)).update(bytes).digest() === digest) return bytes;
      throw new HavreError("data-loss", `Blob ${digest} is not what was promised`);
    });
  }

  async hasBlob(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    return this.#patiently(signal, async () => {
      const response = await this.#write("HEAD", this.#url(`blobs/${digest}`), signal);
      if (response.status < 300) await response.discard();
      if (response.status === 200) return true;
      if (response.status === 404) return false;
      throw await registryError(response, `Asking for blob ${digest}`);
    });
  }

  /** Begins an upload; undefined when the registry had the blob in `from` and mounted it here. */
  async beginUpload(
    mount: { readonly digest: Digest; readonly from: string } | undefined,
    signal?: AbortSignal,
  ): Promise<Upload | undefined> {
    const query = mount ? `?mount=${mount.digest}&from=${encodeURIComponent(mount.from)}` : "";
    return this.#patiently(signal, async () => {
      const url = this.#url(`blobs/uploads/${query}`);
      const response = await this.#write(
        "POST",
        url,
        signal,
        {},
        undefined,
        mount ? [`repository:${mount.from}:pull`] : [],
      );
      if (response.status !== 201 && response.status !== 202)
        throw await registryError(response, `Uploading to ${this.path}`);
      await response.discard();
      if (response.status === 201) return undefined;
      const takesDeltas = (response.headers.get("accept-patch") ?? "").split(/\s*,\s*/).includes(DELTA_TYPE);
      return { location: locationOf(response, url), takesDeltas };
    });
  }

  /** Sends a whole blob to an upload that was begun, in one piece. */
  async upload(
    location: string,
    { digest, size }: Pick<Descriptor, "digest" | "size">,
    bytes: () => AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void> {
    const url = new URL(location);
    url.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
    const response = await this.#write("PUT", url.href, signal, headers, bytes);
    if (response.status !== 201 && response.status !== 204)
      throw await registryError(response, `Uploading blob ${digest}`);
    await response.discard();
  }

  /** Sends what is not known before it is read: its digest and size come at the end. */
  async uploadStream(
    location: string,
    bytes: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly size: number }> {
    const digester = new Digester();
    const headers = { "content-type": "application/octet-stream" };
    const sent = await this.#write("PATCH", location, signal, headers, () => digested(bytes, digester));
    if (sent.status !== 202 && sent.status !== 204) throw await registryError(sent, `Uploading to ${this.path}`);
    await sent.discard();
    const digest = digester.digest();
    await this.#endUpload(locationOf(sent, location), digest, signal);
    return { digest, size: digester.size };
  }

  /** Sends what the registry lacks of a blob, of `length` bytes with the recipe before it. */
  async uploadDelta(
    location: string,
    digest: Digest,
    length: number,
    delta: () => AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void> {
    const headers = { "content-type": DELTA_TYPE, "content-length": String(length) };
    const sent = await this.#write("PATCH", location, signal, headers, delta);
    if (sent.status !== 202 && sent.status !== 204) throw await registryError(sent, `Uploading blob ${digest}`);
    await sent.discard();
    await this.#endUpload(locationOf(sent, location), digest, signal);
  }

  /** Gives up an upload. */
  async cancelUpload(location: string, signal?: AbortSignal): Promise<void> {
    const response = await this.#write("DELETE", location, signal);
    await response.discard();
  }

  async #endUpload(location: string, digest: Digest, signal: AbortSignal | undefined): Promise<void> {
    const url = new URL(location);
    url.searchParams.set("digest", digest);
    const done = await this.#write("PUT", url.href, signal, { "content-length": "0" });
    if (done.status !== 201 && done.status !== 204) throw await registryError(done, `Uploading blob ${digest}`);
    await done.discard();
  }

  /** Stores a manifest under a tag or its digest. Returns the manifest it refers to, where the registry keeps referrers. */
  async putManifest(
    reference: string,
    mediaType: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    return this.#patiently(signal, async () => {
      const response = await this.#write(
        "PUT",
        this.#url(`manifests/${reference}`),
        signal,
        { "content-type": mediaType },
        () => bytes,
      );
      if (response.status !== 201 && response.status !== 200)
        throw await registryError(response, `Storing manifest ${reference}`);
      await response.discard();
      return response.headers.get("oci-subject") ?? undefined;
    });
  }

  /** The index of what refers to a manifest (OCI distribution 1.1, § Listing Referrers); undefined: the registry keeps none. */
  async referrers(digest: Digest, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#patiently(signal, async () => {
      const response = await this.#read("GET", `referrers/${digest}`, { accept: mediaTypes.ociIndex }, signal);
      if (response.status === 200) return response.bytes(MAX_DOCUMENT);
      if (response.status < 500) {
        await response.discard();
        return undefined;
      }
      throw await registryError(response, `Listing what refers to ${digest}`);
    });
  }

  /** Does `work` again after a pause when the registry or the way to it failed for the moment. */
  async #patiently<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return retried(this.#session.clock, signal, work);
  }

  /** The pause before attempt `attempt + 1`, for transfers whose callers know how to go on after a failure. */
  pause(attempt: number, signal?: AbortSignal): Promise<void> {
    return pauseAfter(this.#session.clock, attempt, signal);
  }

  #read(
    method: string,
    what: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<RegistryResponse> {
    return this.#session.send({ method, url: this.#url(what), headers, signal }, this.#scopes("pull"));
  }

  #write(
    method: string,
    url: string,
    signal: AbortSignal | undefined,
    headers: Record<string, string> = {},
    body?: () => RegistryRequest["body"],
    moreScopes: readonly string[] = [],
  ): Promise<RegistryResponse> {
    const scopes = [...this.#scopes("pull,push"), ...moreScopes];
    return this.#session.send({ method, url, headers, signal, ...(body === undefined ? {} : { body }) }, scopes);
  }

  #url(what: string): string {
    return `${this.#session.endpoint.base}/v2/${this.path}/${what}`;
  }

  #scopes(actions: string): readonly string[] {
    return [`repository:${this.path}:${actions}`];
  }
}

async function* digested(bytes: AsyncIterable<Uint8Array>, digester: Digester): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    digester.update(chunk);
    yield chunk;
  }
}

function locationOf(response: RegistryResponse, base: string): string {
  const location = response.headers.get("location");
  if (!location) throw new RegistryError(502, "", "unavailable", "The registry did not say where an upload goes on");
  return new URL(location, base).href;
}

function manifestDigest(response: RegistryResponse, reference: string, bytes: Uint8Array): Digest {
  const promised = isDigest(reference) ? reference : response.headers.get("docker-content-digest");
  if (promised === null || !isDigest(promised)) return digestOf(bytes);
  const actual = new Digester(digestAlgorithm(promised)).update(bytes).digest();
  if (actual !== promised) throw new HavreError("data-loss", `manifest verification failed for digest ${promised}`);
  return promised;
}

async function retried<T>(
  clock: Session["clock"],
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= ATTEMPTS || !isTemporary(error)) throw error;
      await pauseAfter(clock, attempt, signal);
    }
  }
}

/** True for what may go better next time: the way to the registry, or the registry itself, failed for the moment. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof RegistryError) return error.temporary && error.status !== 429;
  return isHavreError(error, "unavailable") && !/connection refused|no such host|certificate|TLS/i.test(error.message);
}

function pauseAfter(clock: Session["clock"], attempt: number, signal: AbortSignal | undefined): Promise<void> {
  return clock.sleep(Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS), signal);
}
