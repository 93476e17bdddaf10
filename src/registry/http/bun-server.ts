import { HavreError, toHavreError } from "../../base/mod.ts";
import type { Answer, Handler, RegistryRequest } from "./exchange.ts";

/**
 * The only file that knows Bun's HTTP server: it sends files without them passing through JavaScript, several times
 * faster than `node:http`. Another server needs to make requests and answers of `exchange.ts`, no more.
 */
export interface HttpServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** PEM texts. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls?: TlsFiles;
}

/** Listens. `unavailable` when the address cannot be had. */
export function listen({ host, port, tls }: ListenOptions, handler: Handler): HttpServer {
  const options = {
    hostname: host,
    port,
    // Blobs have no limit; a client that is silent while it hashes is not cut off.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    idleTimeout: 0,
    async fetch(request: Request, server: Bun.Server<undefined>): Promise<Response> {
      return toResponse(await handler(toRequest(request, server, tls !== undefined)), request.method);
    },
  };
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve({ ...options, ...(tls ? { tls } : {}) });
  } catch (error) {
    throw new HavreError("unavailable", `Listening on ${host}:${port}: ${toHavreError(error).message}`, {
      cause: error,
      hint: "Choose another address with --listen",
    });
  }
  return {
    host: server.hostname ?? host,
    port: server.port ?? port,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function toRequest(request: Request, server: Bun.Server<undefined>, tls: boolean): RegistryRequest {
  const { url, headers } = request;
  const slash = url.indexOf("/", url.indexOf("://") + 3);
  const question = url.indexOf("?", slash);
  let query: URLSearchParams | undefined;
  return {
    method: request.method,
    path: question < 0 ? url.slice(slash) : url.slice(slash, question),
    get query() {
      query ??= new URLSearchParams(question < 0 ? "" : url.slice(question + 1));
      return query;
    },
    header: (name) => headers.get(name) ?? undefined,
    get body() {
      return request.body ?? nothing();
    },
    get remote() {
      return server.requestIP(request)?.address ?? "";
    },
    get secure() {
      return tls || headers.get("x-forwarded-proto") === "https";
    },
    get signal() {
      return request.signal;
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function toResponse({ status, headers, body }: Answer, method: string): Response {
  const init = { status, headers: headers as Record<string, string> };
  if (method === "HEAD" || body === undefined) return new Response(null, init);
  if (typeof body === "string") return new Response(body, init);
  if (body instanceof Uint8Array) return new Response(body as Uint8Array<ArrayBuffer>, init);
  return new Response(Bun.file(body.path).slice(body.start, body.end), init);
}
