import { type Clock, HavreError, VERSION } from "../../base/mod.ts";
import { readCertificates, type TlsMaterial } from "./certificates.ts";
import { networkFailure } from "./failures.ts";

/** Longest wait for the answer's head, and for each next piece of a body. */
const STALL_MS = 60_000;
/** The same for the head once a body is sent: a registry may check gigabytes before it answers. */
const COMMIT_MS = 600_000;
const MAX_REDIRECTS = 10;
const MAX_TEXT = 1 << 20;

export interface RegistryRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  /** Believe whatever certificate the host shows. */
  readonly insecure?: boolean;
}

/** An answer whose body is read, or discarded, exactly once. */
export interface RegistryResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Where it came from after redirects. */
  readonly url: string;
  body(): AsyncIterable<Uint8Array>;
  /** The whole body, at most `limit` bytes (default 1 MiB), else `resource-exhausted`. */
  bytes(limit?: number): Promise<Uint8Array>;
  discard(): Promise<void>;
}

type Fetch = (url: string, init: object) => Promise<Response>;

/**
 * HTTP to registries: redirects without handing credentials to other hosts, certificates of each host, proxies from
 * the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), and no wait without end. Failures to reach a host are
 * `unavailable` with Docker's texts.
 */
export class RegistryHttp {
  readonly #certificateFolders: readonly string[];
  readonly #clock: Clock;
  readonly #fetch: Fetch;

  constructor(certificateFolders: readonly string[], clock: Clock, fetchWith: Fetch = fetch as Fetch) {
    this.#certificateFolders = certificateFolders;
    this.#clock = clock;
    this.#fetch = fetchWith;
  }

  async send(request: RegistryRequest): Promise<RegistryResponse> {
    let { method, url, body } = request;
    let headers = { ...request.headers };
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await this.#once({
        ...request,
        method,
        url,
        headers,
        ...(body ? { body } : { body: undefined }),
      });
      const location = redirectOf(response);
      if (location === undefined || (method !== "GET" && method !== "HEAD")) return response;
      await response.discard();
      const next = new URL(location, url);
      if (next.protocol !== "https:" && next.protocol !== "http:")
        throw new HavreError("unavailable", `${url} leads to ${next.protocol}, which is not followed`);
      if (!mayKnowCredentials(next, new URL(url))) headers = withoutAuthorization(headers);
      url = next.href;
      body = undefined;
    }
    throw new HavreError("unavailable", `${method} ${request.url}: stopped after ${MAX_REDIRECTS} redirects`, {
      hint: "The registry leads in a circle: ask its operator",
    });
  }

  async #once(
    request: Omit<RegistryRequest, "body"> & { readonly body: RegistryRequest["body"] },
  ): Promise<RegistryResponse> {
    const { method, url, headers, body, signal, insecure } = request;
    const watchdog = new Watchdog(signal);
    try {
      const response = await this.#fetch(url, {
        method,
        headers: { "user-agent": `havre/${VERSION}`, "accept-encoding": "identity", ...headers },
        redirect: "manual",
        decompress: false,
        signal: watchdog.signal,
        ...(body === undefined ? {} : { body: isBytes(body) ? body : watchdog.sending(body), duplex: "half" }),
        ...(url.startsWith("https:") ? { tls: tlsOptions(this.#certificates(url), insecure === true) } : {}),
      });
      watchdog.alive();
      return new FetchedResponse(response, url, watchdog);
    } catch (error) {
      watchdog.stop();
      signal?.throwIfAborted();
      throw networkFailure(method, url, watchdog.stalled ?? error);
    }
  }

  #certificates(url: string): TlsMaterial | undefined {
    return readCertificates(this.#certificateFolders, new URL(url).host);
  }

  /** Milliseconds since the epoch: of what expires. */
  now(): number {
    return this.#clock.now();
  }
}

class FetchedResponse implements RegistryResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly url: string;
  readonly #response: Response;
  readonly #watchdog: Watchdog;

  constructor(response: Response, url: string, watchdog: Watchdog) {
    this.status = response.status;
    this.headers = response.headers;
    this.url = url;
    this.#response = response;
    this.#watchdog = watchdog;
  }

  async *body(): AsyncGenerator<Uint8Array> {
    const stream = this.#response.body as AsyncIterable<Uint8Array> | null;
    try {
      if (stream) yield* this.#watchdog.watching(stream);
    } catch (error) {
      this.#watchdog.outer?.throwIfAborted();
      throw networkFailure("GET", this.url, this.#watchdog.stalled ?? error);
    } finally {
      this.#watchdog.stop();
    }
  }

  async bytes(limit = MAX_TEXT): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of this.body()) {
      size += part.byteLength;
      if (size > limit) {
        throw new HavreError("resource-exhausted", `${this.url} answered with more than ${limit} bytes`, {
          hint: "No manifest or message is that large: the registry is broken or hostile",
        });
      }
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  async discard(): Promise<void> {
    this.#watchdog.stop();
    await this.#response.body?.cancel().catch(() => {}); // The connection may be gone already, which is as good.
  }
}

/** Aborts what makes no progress. */
class Watchdog {
  readonly #control = new AbortController();
  readonly outer: AbortSignal | undefined;
  readonly signal: AbortSignal;
  /** What is wrong, once it was aborted for that. */
  stalled: Error | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal | undefined) {
    this.outer = outer;
    this.signal = outer ? AbortSignal.any([outer, this.#control.signal]) : this.#control.signal;
    this.alive();
  }

  /** It moved just now; `limit`: milliseconds until it must again. */
  alive(limit = STALL_MS): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.stalled = Object.assign(new Error(`no answer for ${limit / 1000} seconds`), { code: "ETIMEDOUT" });
      this.#control.abort();
    }, limit);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async *watching(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.alive();
      yield chunk;
    }
    this.alive();
  }

  async *sending(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* this.watching(source);
    this.alive(COMMIT_MS);
  }
}

/** Not another host, and not the same one without encryption. */
function mayKnowCredentials(next: URL, before: URL): boolean {
  return next.host === before.host && (next.protocol === before.protocol || next.protocol === "https:");
}

function isBytes(body: Uint8Array | AsyncIterable<Uint8Array>): body is Uint8Array {
  return body instanceof Uint8Array;
}

function redirectOf({ status, headers }: RegistryResponse): string | undefined {
  return [301, 302, 303, 307, 308].includes(status) ? (headers.get("location") ?? undefined) : undefined;
}

function withoutAuthorization(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"));
}

/** With authorities of its own a registry still may use a certificate of the public ones. */
function tlsOptions(material: TlsMaterial | undefined, insecure: boolean): object {
  return {
    rejectUnauthorized: !insecure,
    ...(material && material.ca.length > 0 ? { ca: material.ca } : {}),
    ...(material?.cert === undefined ? {} : { cert: material.cert, key: material.key }),
  };
}
