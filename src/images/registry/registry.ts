import { type Clock, HavreError } from "../../base/mod.ts";
import type { Reference } from "../../spec/mod.ts";
import { Authorizer } from "./authorizer.ts";
import { type Credentials, sameCredentials } from "./credentials.ts";
import { RegistryError, registryError } from "./failures.ts";
import { RegistryHttp, type RegistryRequest, type RegistryResponse } from "./http.ts";
import { RemoteRepository } from "./remote-repository.ts";
import { type Endpoint, endpointsOf, type RegistrySettings } from "./settings.ts";

const MAX_SESSIONS = 64;

/** Requests to one endpoint as one user. */
export class Session {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly #http: RegistryHttp;
  readonly #authorizer: Authorizer;

  constructor(http: RegistryHttp, clock: Clock, endpoint: Endpoint, credentials: Credentials) {
    this.#http = http;
    this.clock = clock;
    this.endpoint = endpoint;
    this.credentials = credentials;
    // A mirror is not who the credentials are for.
    this.#authorizer = new Authorizer(http, endpoint.mirror ? {} : credentials, endpoint.insecure);
  }

  /**
   * Sends a request within `scopes`, signing in when the registry asks for it. `body` is a function because it may be
   * sent twice. The answer may have any status.
   */
  async send(
    request: Omit<RegistryRequest, "body" | "insecure"> & { readonly body?: () => RegistryRequest["body"] },
    scopes: readonly string[],
  ): Promise<RegistryResponse> {
    const { body, headers, ...rest } = request;
    const once = () => {
      // Where an upload goes on may be another host, which is to have what its address holds and nothing else.
      const own = new URL(request.url).host === new URL(this.endpoint.base).host;
      const authorization = own ? this.#authorizer.header(scopes) : undefined;
      const bytes = body?.();
      return this.#http.send({
        ...rest,
        insecure: this.endpoint.insecure,
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(bytes === undefined ? {} : { body: bytes }),
      });
    };
    const response = await once();
    if (response.status !== 401 || !(await this.#authorizer.answer(response, scopes, request.signal))) return response;
    await response.discard();
    return once();
  }

  /** Asks whether the registry is one and knows the user. `unauthenticated` when it does not. */
  async check(signal?: AbortSignal): Promise<void> {
    const response = await this.send({ method: "GET", url: `${this.endpoint.base}/v2/`, signal }, []);
    if (response.status === 200) return response.discard();
    throw await registryError(response, `Signing in to ${this.endpoint.host}`);
  }
}

/** The registries of this world, as the operator lets them be spoken to. Remembers sign-ins while they hold. */
export class Registries {
  readonly settings: RegistrySettings;
  readonly #clock: Clock;
  readonly #http: RegistryHttp;
  #sessions: Session[] = [];
  /** Endpoints that answered, by domain: the other scheme of an insecure registry is not tried again. */
  readonly #answering = new Map<string, string>();

  constructor(settings: RegistrySettings, clock: Clock, http = new RegistryHttp(settings.certificateFolders, clock)) {
    this.settings = settings;
    this.#clock = clock;
    this.#http = http;
  }

  /**
   * Does `work` at the first endpoint of the reference's domain that can be reached and has it; goes on with the next
   * when one cannot, and when a mirror lacks it. The last failure is thrown.
   */
  async withRepository<T>(
    { domain, path }: Reference,
    credentials: Credentials,
    forPush: boolean,
    work: (repository: RemoteRepository) => Promise<T>,
  ): Promise<T> {
    return this.#firstOf(domain, credentials, forPush, (session) => work(new RemoteRepository(session, path)));
  }

  /** Does `work` with a host that is no repository's: its search, say. */
  withSession<T>(host: string, credentials: Credentials, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#firstOf(host, credentials, true, work);
  }

  /** Checks name and password. `unauthenticated` with the registry's words. */
  async signIn(domain: string, credentials: Credentials, signal?: AbortSignal): Promise<void> {
    await this.#firstOf(domain, credentials, true, (session) => session.check(signal));
  }

  async #firstOf<T>(
    domain: string,
    credentials: Credentials,
    forPush: boolean,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    let failure: unknown;
    for (const endpoint of this.#endpoints(domain, forPush)) {
      try {
        const result = await work(this.#session(endpoint, credentials));
        this.#answering.set(domain, endpoint.base);
        return result;
      } catch (error) {
        if (error instanceof RegistryError && !endpoint.mirror) this.#answering.set(domain, endpoint.base);
        if (!this.#maybeElsewhere(error, endpoint)) throw error;
        failure = error;
      }
    }
    throw failure ?? new HavreError("internal", `No endpoint for ${domain}`);
  }

  /** A mirror may lack anything; an endpoint that did not answer at all may have another scheme. */
  #maybeElsewhere(error: unknown, { mirror }: Endpoint): boolean {
    if (!(error instanceof HavreError) || error.kind === "cancelled") return false;
    return mirror || (error.kind === "unavailable" && !(error instanceof RegistryError));
  }

  #endpoints(domain: string, forPush: boolean): readonly Endpoint[] {
    const endpoints = endpointsOf(domain, this.settings, forPush);
    const known = this.#answering.get(domain);
    if (known === undefined || endpoints.some(({ mirror }) => mirror)) return endpoints;
    return [...endpoints].sort((a, b) => Number(b.base === known) - Number(a.base === known));
  }

  #session(endpoint: Endpoint, credentials: Credentials): Session {
    const known = this.#sessions.find(
      (session) => session.endpoint.base === endpoint.base && sameCredentials(session.credentials, credentials),
    );
    if (known) return known;
    const session = new Session(this.#http, this.#clock, endpoint, credentials);
    this.#sessions = [session, ...this.#sessions].slice(0, MAX_SESSIONS);
    return session;
  }
}
