import { chmod, chown, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { posix } from "node:path";
import { HavreError, isHavreError } from "../../base/mod.ts";
import { havreRoutes } from "../havre/mod.ts";
import { sendError, sendStatus } from "./answers.ts";
import { type ApiVersion, HIGHEST_API, parseApiVersion } from "./api-version.ts";
import { errorAnswer } from "./errors.ts";
import type { Exchange, Route } from "./exchange.ts";
import { Query } from "./query.ts";
import { type Match, Router } from "./router.ts";
import { dockerRoutes } from "./routes/mod.ts";
import type { UseCases } from "./use-cases.ts";

/** Long enough that a client's pooled connection is seldom closed under its next request. */
const KEEP_ALIVE_MS = 120_000;
/** For a request's head only: bodies and answers may take as long as they like. */
const HEAD_TIMEOUT_MS = 60_000;
const QUIET_MS = 10_000;

export interface ListenOptions {
  /** Of the socket file, e.g. 0o660. */
  readonly mode: number;
  /** Group id of the socket file; undefined: the daemon's own. */
  readonly group?: number;
}

/** The Docker Engine API and the native API on one unix socket. */
export interface ApiServer {
  listen(socketPath: string, options: ListenOptions): Promise<void>;
  /** Stops listening and cuts what is still connected. */
  close(): Promise<void>;
}

const VERSION_PREFIX = /^\/v([0-9.]+)(\/.*)$/;

/** Every path has options, and they are nothing. */
const ANY_OPTIONS: Match = {
  route: { method: "OPTIONS", path: "/", handle: (exchange) => sendStatus(exchange, 200) },
  parameters: {},
};

/** The path without empty parts, `.` and `..`, when it has any: dockerd sends clients there. */
function cleanPath(url: string): string | undefined {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  if (!/\/\/|\/\.{1,2}(\/|$)/.test(path)) return undefined;
  const slash = path.endsWith("/") ? "/" : "";
  const clean = posix.normalize(path).replace(/\/$/, "");
  return `${clean}${slash}${mark < 0 ? "" : url.slice(mark)}`;
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(301, { Location: location, "Content-Length": 0 });
  response.end();
}

/** Takes the connection's side of one request until it is answered. */
class LiveExchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly version: ApiVersion;
  readonly query: Query;
  readonly upgrade: { readonly socket: Socket; readonly head: Buffer } | undefined;
  readonly #parameters: Readonly<Record<string, string>>;
  #abort: AbortController | undefined;

  constructor(parts: {
    request: IncomingMessage;
    response: ServerResponse;
    version: ApiVersion;
    query: Query;
    parameters: Readonly<Record<string, string>>;
    upgrade: { readonly socket: Socket; readonly head: Buffer } | undefined;
  }) {
    this.request = parts.request;
    this.response = parts.response;
    this.version = parts.version;
    this.query = parts.query;
    this.upgrade = parts.upgrade;
    this.#parameters = parts.parameters;
  }

  parameter(name: string): string {
    return this.#parameters[name] ?? "";
  }

  /** Made when it is first asked for: most requests never need one. */
  get signal(): AbortSignal {
    if (this.#abort) return this.#abort.signal;
    const abort = new AbortController();
    this.#abort = abort;
    const { response } = this;
    const gone = () => {
      if (!response.writableFinished) abort.abort(new HavreError("cancelled", "The client went away"));
    };
    if (response.destroyed || response.closed) gone();
    response.once("close", gone);
    this.upgrade?.socket.once("close", gone);
    return abort.signal;
  }
}

class UnixApiServer implements ApiServer {
  readonly #useCases: UseCases;
  readonly #docker: Router;
  readonly #havre: Router;
  readonly #server: Server;
  readonly #upgraded = new Set<Socket>();
  readonly #identity: string;
  readonly #quiet: NodeJS.Timeout | undefined;
  #socketPath: string | undefined;

  constructor(useCases: UseCases, whenQuiet?: () => void) {
    this.#useCases = useCases;
    this.#identity = `Havre/${useCases.host.product().version} (linux)`;
    this.#docker = new Router(dockerRoutes(useCases));
    this.#havre = new Router(havreRoutes(useCases));
    this.#server = createServer((request, response) => void this.#serve(request, response, undefined));
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.headersTimeout = HEAD_TIMEOUT_MS;
    this.#server.requestTimeout = 0;
    this.#server.timeout = 0;
    this.#quiet = whenQuiet && setTimeout(whenQuiet, QUIET_MS).unref();
    this.#server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    // A client that resets its connection is no fault of the daemon's.
    socket.on("error", () => socket.destroy());
    void this.#serve(request, new ServerResponse(request), { socket, head });
  }

  #find(request: IncomingMessage): {
    route: Route;
    parameters: Readonly<Record<string, string>>;
    version: string | undefined;
    query: string;
  } {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    const whole = mark < 0 ? url : url.slice(0, mark);
    const query = mark < 0 ? "" : url.slice(mark + 1);
    const method = request.method ?? "GET";
    const native = whole.startsWith("/havre/") ? this.#havre.match(method, whole) : undefined;
    if (native) return { ...native, version: undefined, query };
    const versioned = VERSION_PREFIX.exec(whole);
    const match = method === "OPTIONS" ? ANY_OPTIONS : this.#docker.match(method, versioned?.[2] ?? whole);
    if (!match) throw new HavreError("not-found", "page not found");
    return { ...match, version: versioned?.[1], query };
  }

  async #serve(request: IncomingMessage, response: ServerResponse, upgrade: Exchange["upgrade"]): Promise<void> {
    this.#quiet?.refresh();
    response.setHeader("Api-Version", HIGHEST_API);
    response.setHeader("Docker-Experimental", "false");
    response.setHeader("Ostype", "linux");
    response.setHeader("Server", this.#identity);
    response.on("error", () => response.destroy());
    let attached = false;
    const stayInHttp = () => {
      if (!upgrade || attached) return;
      attached = true;
      response.assignSocket(upgrade.socket);
      response.shouldKeepAlive = false;
      response.once("finish", () => upgrade.socket.end());
    };
    try {
      const clean = cleanPath(request.url ?? "/");
      if (clean !== undefined) return redirect(response, clean);
      const { route, parameters, version, query } = this.#find(request);
      if (upgrade && !route.hijacks) stayInHttp();
      const exchange = new LiveExchange({
        request,
        response,
        parameters,
        version: parseApiVersion(version),
        query: new Query(query),
        upgrade: route.hijacks ? upgrade : undefined,
      });
      await route.handle(exchange);
    } catch (error) {
      stayInHttp();
      this.#fail(request, response, error);
    } finally {
      this.#quiet?.refresh();
    }
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { method, url } = request;
    // A client that leaves, or asks for what is not there yet, is no trouble of this daemon's.
    if (isHavreError(error, "cancelled")) this.#useCases.log.debug("Client went away", { method, url });
    else if (errorAnswer(error).status === 500) this.#useCases.log.warn("Request failed", { method, url, error });
    try {
      sendError({ response }, error);
    } catch (failure) {
      this.#useCases.log.error("Could not answer", { url: request.url, error: failure });
      response.destroy();
    }
  }

  async listen(socketPath: string, { mode, group }: ListenOptions): Promise<void> {
    await refuseIfServed(socketPath);
    await rm(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(socketPath, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#socketPath = socketPath;
    if (group !== undefined) await chown(socketPath, -1, group);
    await chmod(socketPath, mode);
  }

  async close(): Promise<void> {
    clearTimeout(this.#quiet);
    for (const socket of this.#upgraded) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    if (this.#socketPath !== undefined) await rm(this.#socketPath, { force: true });
  }
}

/** A socket file that nobody serves is left over from a daemon that was killed; one that is served is another daemon's. */
async function refuseIfServed(socketPath: string): Promise<void> {
  const served = await new Promise<boolean>((resolve) => {
    const probe = connect(socketPath);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
  if (served) {
    throw new HavreError("already-exists", `Another daemon serves ${socketPath}`, {
      hint: "Give this one its own --run folder, or stop the other",
    });
  }
}

/** The server of both APIs; nothing listens yet. `whenQuiet` is called once each time that it was asked nothing for ten seconds. */
export function createApiServer(useCases: UseCases, whenQuiet?: () => void): ApiServer {
  return new UnixApiServer(useCases, whenQuiet);
}
