import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf } from "../../../base/mod.ts";

/** One request as it came. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Decides about a request before the registry does; true: it has been answered. */
export type Trouble = (request: IncomingMessage, response: ServerResponse, seen: Seen) => boolean;

/** A registry in memory on a port of its own: enough of OCI distribution 1.1 for a client, and made to go wrong. */
export class SmallRegistry implements AsyncDisposable {
  readonly blobs = new Map<string, Uint8Array>();
  /** By `repository/reference`. */
  readonly manifests = new Map<string, { readonly type: string; readonly bytes: Uint8Array }>();
  /** Which repositories have which blobs. */
  readonly owned = new Set<string>();
  readonly seen: Seen[] = [];
  /** Bytes of blobs that were asked for. */
  sent = 0;
  trouble: Trouble = () => false;
  readonly #server: Server;
  #uploads = 0;

  static async start(): Promise<SmallRegistry> {
    const registry = new SmallRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  count(method: string, part: string): number {
    return this.seen.filter((one) => one.method === method && one.path.includes(part)).length;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const { authorization, range } = request.headers;
    const seen = { method, path: url, authorization, range };
    this.seen.push(seen);
    if (this.trouble(request, response, seen)) return;
    const [path = "", query = ""] = url.split("?");
    const [, repository = "", kind, rest = ""] = /^\/v2\/(.+?)\/(manifests|blobs|tags)\/(.+)$/.exec(path) ?? [];
    if (kind === "manifests") await this.#manifest(request, response, repository, rest);
    else if (kind === "blobs") await this.#blob(request, response, repository, rest, new URLSearchParams(query));
    else if (kind === "tags") this.#tags(response, repository);
    else response.writeHead(path === "/v2/" ? 200 : 404).end();
  }

  async #manifest(request: IncomingMessage, response: ServerResponse, repository: string, reference: string) {
    if (request.method === "PUT") {
      const bytes = await read(request);
      const type = request.headers["content-type"] ?? "";
      for (const name of [reference, digestOf(bytes)]) this.manifests.set(`${repository}/${name}`, { type, bytes });
      response.writeHead(201, { "docker-content-digest": digestOf(bytes) }).end();
      return;
    }
    const found = this.manifests.get(`${repository}/${reference}`);
    if (!found) return refuse(response, 404, "MANIFEST_UNKNOWN", "manifest unknown");
    response.writeHead(200, { "content-type": found.type, "docker-content-digest": digestOf(found.bytes) });
    response.end(request.method === "HEAD" ? undefined : found.bytes);
  }

  async #blob(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    rest: string,
    query: URLSearchParams,
  ) {
    if (rest.startsWith("uploads/")) return this.#upload(request, response, repository, query);
    const found = this.owned.has(`${repository} ${rest}`) ? this.blobs.get(rest) : undefined;
    if (!found) return refuse(response, 404, "BLOB_UNKNOWN", "blob unknown to registry");
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const part = found.subarray(Number(from ?? 0), to ? Number(to) + 1 : undefined);
    const begin = Number(from ?? 0);
    const head = {
      "content-length": part.length,
      "content-range": `bytes ${begin}-${begin + part.length - 1}/${found.length}`,
    };
    response.writeHead(from === undefined ? 200 : 206, head);
    response.end(request.method === "HEAD" ? undefined : part);
    if (request.method === "GET") this.sent += part.length;
  }

  async #upload(request: IncomingMessage, response: ServerResponse, repository: string, query: URLSearchParams) {
    if (request.method === "POST") {
      const [mount, from] = [query.get("mount") ?? "", query.get("from") ?? ""];
      if (this.owned.has(`${from} ${mount}`)) {
        this.owned.add(`${repository} ${mount}`);
        response.writeHead(201).end();
        return;
      }
      response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/${++this.#uploads}?state=x` }).end();
      return;
    }
    const bytes = await read(request);
    const digest = query.get("digest") ?? "";
    if (digestOf(bytes) !== digest) return refuse(response, 400, "DIGEST_INVALID", "provided digest did not match");
    this.add(repository, bytes);
    response.writeHead(201).end();
  }

  /** Puts a blob there; returns its descriptor. */
  add(repository: string, bytes: Uint8Array, mediaType = "application/octet-stream") {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    this.owned.add(`${repository} ${digest}`);
    return { mediaType, digest, size: bytes.length };
  }

  #tags(response: ServerResponse, repository: string): void {
    const names = [...this.manifests.keys()].filter((key) => key.startsWith(`${repository}/`));
    const tags = names.map((key) => key.slice(repository.length + 1)).filter((name) => !name.includes(":"));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ name: repository, tags }));
  }
}

/** An answer as registries refuse (OCI distribution specification, § Error Codes). */
export function refuse(response: ServerResponse, status: number, code: string, message: string, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
