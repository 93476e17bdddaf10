import { HavreError, toHavreError } from "../../base/mod.ts";
import type { Answer, Handler, RegistryRequest } from "./exchange.ts";

/**
 * The only file that knows Bun's HTTP server: it sends files without them passing through JavaScript, several times
 * faster than `node:http`. Another server needs to make requests and answers of `exchange.ts`, no more.
 */
export interface HttpServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Shows new connections another certificate; those that are open go on. Throws when it cannot be used, and keeps the old. */
  replaceTls(tls: TlsFiles): void;
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

type Server = Bun.Server<undefined>;

/** Listens. `unavailable` when the address cannot be had. */
export function listen({ host, port, tls }: ListenOptions, handler: Handler): HttpServer {
  // A client that is silent while it hashes is not cut off.
  const options = { ...common(handler, tls !== undefined), hostname: host, idleTimeout: 0 };
  const bind = (at: number, files: TlsFiles | undefined, reusePort: boolean): Server => {
    try {
      return Bun.serve({ ...options, port: at, reusePort, ...(files ? { tls: files } : {}) });
    } catch (error) {
      throw new HavreError("unavailable", `Listening on ${host}:${port}: ${toHavreError(error).message}`, {
        cause: error,
        hint: "Choose another address with --listen",
      });
    }
  };
  // Bound alone first: shared, an address that another program has would be taken without a word.
  let server = bind(port, tls, false);
  const bound = { host: server.hostname ?? host, port: server.port ?? port };
  if (tls) {
    // A certificate is replaced by a second listener beside the first, so both must be willing to share.
    server.stop(true);
    server = bind(bound.port, tls, true);
  }
  return {
    ...bound,
    replaceTls(files) {
      const next = bind(bound.port, files, true);
      // Ends when the last of its connections does.
      void server.stop();
      server = next;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** Listens on a unix socket, for who may open it. */
export function listenUnix(path: string, handler: Handler): AsyncDisposable {
  const server = Bun.serve({ ...common(handler, false), unix: path });
  return { [Symbol.asyncDispose]: () => server.stop(true) };
}

function common(handler: Handler, secure: boolean) {
  return {
    maxRequestBodySize: Number.MAX_SAFE_INTEGER, // Blobs have no limit.
    async fetch(request: Request, server: Server): Promise<Response> {
      return toResponse(await handler(toRequest(request, server, secure)), request.method);
    },
  };
}

function toRequest(request: Request, server: Server, tls: boolean): RegistryRequest {
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
  if ("chunks" in body) return new Response(toStream(body.chunks), init);
  return new Response(Bun.file(body.path).slice(body.start, body.end), init);
}

/** Asked for piece by piece: who reads slowly slows the source, who goes away ends it. */
function toStream(chunks: AsyncIterable<Uint8Array | string>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
      } catch (error) {
        controller.error(error);
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
