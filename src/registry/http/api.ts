import type { Access, Caller, RepositoryWish } from "../access/access.ts";
import { RegistryFault } from "../fault.ts";
import type { Mirrors } from "../mirror/mirrors.ts";
import { checkName } from "../names.ts";
import type { Registry } from "../registry.ts";
import { BlobApi } from "./blob-api.ts";
import { type Answer, jsonAnswer, type RegistryRequest } from "./exchange.ts";
import { ManifestApi } from "./manifest-api.ts";
import { type Route, routeOf } from "./routes.ts";
import { actorOf, type Visit } from "./visit.ts";

type RepositoryRoute = Extract<Route, { repository: string }>;

/** The distribution API: routes and permissions. Errors are thrown; the front answers them. */
export class DistributionApi {
  readonly #blobs: BlobApi;
  readonly #manifests: ManifestApi;
  readonly #access: Access;

  constructor(registry: Registry, access: Access, mirrors: Mirrors) {
    this.#blobs = new BlobApi(registry.blobs, registry.uploads, mirrors);
    this.#manifests = new ManifestApi(registry.manifests, registry.tags, registry.referrers, mirrors);
    this.#access = access;
  }

  async answer(request: RegistryRequest, visit: Visit): Promise<Answer> {
    const route = routeOf(request);
    if (!route) throw new RegistryFault("UNSUPPORTED", "there is nothing at this path", { status: 404 });
    visit.kind = route.kind;
    if (!("repository" in route)) return this.#general(request, route.kind, visit);
    visit.repository = checkName(route.repository);
    if ("reference" in route) visit.reference = route.reference;
    switch (route.kind) {
      case "tags":
        reading(request);
        await this.#admit(request, visit, route, "pull");
        return this.#manifests.tags(request, route.repository);
      case "referrers":
        reading(request);
        await this.#admit(request, visit, route, "pull");
        return this.#manifests.referrers(request, route.repository, route.reference);
      case "manifest":
        return this.#manifest(request, route, visit);
      case "blob":
        return this.#blob(request, route, visit);
      default:
        return this.#upload(request, route, visit);
    }
  }

  async #general(request: RegistryRequest, kind: "base" | "catalog", visit: Visit): Promise<Answer> {
    reading(request);
    const caller = await this.#identify(request, visit);
    if (kind === "base") {
      if (!this.#access.isKnown(caller)) throw this.#access.refusal(request, caller);
      return jsonAnswer({});
    }
    if (!this.#access.mayList(caller)) throw this.#access.refusal(request, caller, "catalog");
    return this.#manifests.catalog(request, (repository) => this.#access.maySee(caller, repository));
  }

  async #manifest(
    request: RegistryRequest,
    { repository, reference }: Extract<RepositoryRoute, { reference: string }>,
    visit: Visit,
  ): Promise<Answer> {
    switch (request.method) {
      case "GET":
      case "HEAD":
        if (request.method === "GET") visit.action = "pull";
        await this.#admit(request, visit, { repository }, "pull");
        return this.#manifests.read(request, repository, reference);
      case "PUT": {
        visit.action = "push";
        const caller = await this.#admit(request, visit, { repository }, "push");
        return this.#manifests.put(request, repository, reference, actorOf(request, caller));
      }
      case "DELETE": {
        visit.action = "delete";
        const caller = await this.#admit(request, visit, { repository }, "delete");
        const force = this.#access.may(caller, repository, "admin");
        return this.#manifests.delete(repository, reference, actorOf(request, caller), force);
      }
      default:
        throw wrongMethod(request.method);
    }
  }

  async #blob(
    request: RegistryRequest,
    { repository, reference }: Extract<RepositoryRoute, { reference: string }>,
    visit: Visit,
  ): Promise<Answer> {
    switch (request.method) {
      case "GET":
      case "HEAD":
        await this.#admit(request, visit, { repository }, "pull");
        return this.#blobs.read(request, repository, reference);
      case "DELETE":
        visit.action = "delete-blob";
        await this.#admit(request, visit, { repository }, "delete");
        return this.#blobs.delete(repository, reference);
      default:
        throw wrongMethod(request.method);
    }
  }

  async #upload(request: RegistryRequest, route: RepositoryRoute, visit: Visit): Promise<Answer> {
    const { repository } = route;
    const { method } = request;
    const caller = await this.#admit(request, visit, route, "push");
    if (route.kind !== "upload") {
      if (method !== "POST") throw wrongMethod(method);
      const answer = await this.#blobs.begin(request, repository, (from) => this.#access.may(caller, from, "pull"));
      if (answer.status === 201) visit.action = request.query.has("mount") ? "mount" : "push-blob";
      return answer;
    }
    switch (method) {
      case "GET":
      case "HEAD":
        return this.#blobs.status(repository, route.id);
      case "PATCH":
        return this.#blobs.append(request, repository, route.id, this.#access.may(caller, repository, "pull"));
      case "PUT":
        visit.action = "push-blob";
        return this.#blobs.finish(request, repository, route.id);
      case "DELETE":
        return this.#blobs.cancel(repository, route.id);
      default:
        throw wrongMethod(method);
    }
  }

  async #identify(request: RegistryRequest, visit: Visit): Promise<Caller> {
    visit.caller = await this.#access.identify(request);
    return visit.caller;
  }

  async #admit(
    request: RegistryRequest,
    visit: Visit,
    { repository }: Pick<RepositoryWish, "repository">,
    action: RepositoryWish["action"],
  ): Promise<Caller> {
    const caller = await this.#identify(request, visit);
    if (!this.#access.may(caller, repository, action)) {
      throw this.#access.refusal(request, caller, { repository, action });
    }
    return caller;
  }
}

function reading({ method }: RegistryRequest): void {
  if (method !== "GET" && method !== "HEAD") throw wrongMethod(method);
}

function wrongMethod(method: string): RegistryFault {
  return new RegistryFault("UNSUPPORTED", `${method} is not supported here`);
}
