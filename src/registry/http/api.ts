import type { Logger } from "../../base/mod.ts";
import type { Access, Caller } from "../access/access.ts";
import { RegistryFault, toFault } from "../fault.ts";
import { checkName } from "../names.ts";
import type { Registry } from "../registry.ts";
import { BlobApi } from "./blob-api.ts";
import { type Answer, jsonAnswer, type RegistryRequest } from "./exchange.ts";
import { ManifestApi } from "./manifest-api.ts";
import { type Route, routeOf } from "./routes.ts";

/** The distribution API: routes, permissions, errors. */
export class DistributionApi {
  readonly #blobs: BlobApi;
  readonly #manifests: ManifestApi;
  readonly #access: Access;
  readonly #log: Logger;

  constructor(registry: Registry, access: Access, log: Logger) {
    this.#blobs = new BlobApi(registry.blobs, registry.uploads);
    this.#manifests = new ManifestApi(registry.manifests, registry.tags, registry.referrers);
    this.#access = access;
    this.#log = log;
  }

  async answer(request: RegistryRequest): Promise<Answer> {
    try {
      const route = routeOf(request);
      if (!route) throw new RegistryFault("UNSUPPORTED", "there is nothing at this path", { status: 404 });
      if ("repository" in route) checkName(route.repository);
      return withVersion(await this.#route(request, route));
    } catch (error) {
      return withVersion(this.refuse(request, error));
    }
  }

  /** How an error is answered; what is our own fault is logged. */
  refuse({ method, path }: RegistryRequest, error: unknown): Answer {
    const fault = toFault(error);
    if (fault.status >= 500) this.#log.error("request failed", { method, path, error: fault.cause ?? fault });
    const { code, message, detail, status, headers } = fault;
    return jsonAnswer({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] }, status, headers);
  }

  async #route(request: RegistryRequest, route: Route): Promise<Answer> {
    const { method } = request;
    const reading = method === "GET" || method === "HEAD";
    switch (route.kind) {
      case "base":
        if (!reading) throw wrongMethod(method);
        await this.#access.signedIn(request);
        return jsonAnswer({});
      case "catalog": {
        if (!reading) throw wrongMethod(method);
        const caller = await this.#access.catalog(request);
        return this.#manifests.catalog(request, (repository) => this.#access.may(caller, repository, "pull"));
      }
      case "tags":
        if (!reading) throw wrongMethod(method);
        await this.#access.check(request, route.repository, "pull");
        return this.#manifests.tags(request, route.repository);
      case "referrers":
        if (!reading) throw wrongMethod(method);
        await this.#access.check(request, route.repository, "pull");
        return this.#manifests.referrers(request, route.repository, route.reference);
      case "manifest":
        return this.#manifest(request, route.repository, route.reference);
      case "blob":
        return this.#blob(request, route.repository, route.reference);
      default: {
        const caller = await this.#access.check(request, route.repository, "push");
        return this.#upload(request, route, caller);
      }
    }
  }

  async #manifest(request: RegistryRequest, repository: string, reference: string): Promise<Answer> {
    switch (request.method) {
      case "GET":
      case "HEAD":
        await this.#access.check(request, repository, "pull");
        return this.#manifests.read(request, repository, reference);
      case "PUT": {
        const caller = await this.#access.check(request, repository, "push");
        const { answer } = await this.#manifests.put(request, repository, reference, caller.name);
        return answer;
      }
      case "DELETE":
        await this.#access.check(request, repository, "delete");
        return this.#manifests.delete(repository, reference);
      default:
        throw wrongMethod(request.method);
    }
  }

  async #blob(request: RegistryRequest, repository: string, reference: string): Promise<Answer> {
    switch (request.method) {
      case "GET":
      case "HEAD":
        await this.#access.check(request, repository, "pull");
        return this.#blobs.read(request, repository, reference);
      case "DELETE":
        await this.#access.check(request, repository, "delete");
        return this.#blobs.delete(repository, reference);
      default:
        throw wrongMethod(request.method);
    }
  }

  async #upload(
    request: RegistryRequest,
    route: Extract<Route, { kind: "upload" | "uploads" | "tags" }>,
    caller: Caller,
  ): Promise<Answer> {
    const { repository } = route;
    const { method } = request;
    if (route.kind !== "upload") {
      if (method !== "POST") throw wrongMethod(method);
      return this.#blobs.begin(request, repository, (from) => this.#access.may(caller, from, "pull"));
    }
    switch (method) {
      case "GET":
      case "HEAD":
        return this.#blobs.status(repository, route.id);
      case "PATCH":
        return this.#blobs.append(request, repository, route.id);
      case "PUT":
        return this.#blobs.finish(request, repository, route.id);
      case "DELETE":
        return this.#blobs.cancel(repository, route.id);
      default:
        throw wrongMethod(method);
    }
  }
}

function wrongMethod(method: string): RegistryFault {
  return new RegistryFault("UNSUPPORTED", `${method} is not supported here`);
}

function withVersion(answer: Answer): Answer {
  return { ...answer, headers: { "docker-distribution-api-version": "registry/2.0", ...answer.headers } };
}
