import type { Clock, Logger } from "../../base/mod.ts";
import type { Access } from "../access/access.ts";
import type { Audit } from "../audit.ts";
import { RegistryFault, toFault } from "../fault.ts";
import type { Metrics } from "../metrics.ts";
import type { Pages } from "../page/pages.ts";
import type { DistributionApi } from "./api.ts";
import { type Answer, jsonAnswer, type RegistryRequest } from "./exchange.ts";
import { OPERATOR_PREFIX, type OperatorApi } from "./operator-api.ts";
import type { Visit } from "./visit.ts";

export interface FrontParts {
  readonly access: Access;
  readonly api: DistributionApi;
  readonly operators: OperatorApi;
  readonly pages: Pages;
  readonly metrics: Metrics;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Everything that a registry answers: the distribution API, tokens, pages, metrics and what operators ask. */
export class Front {
  readonly #parts: FrontParts;

  constructor(parts: FrontParts) {
    this.#parts = parts;
  }

  async answer(request: RegistryRequest): Promise<Answer> {
    const visit: Visit = { kind: "other" };
    const start = performance.now();
    let answer: Answer;
    try {
      answer = await this.#route(request, visit);
    } catch (error) {
      answer = this.#refuse(request, error);
    }
    this.#account(request, visit, answer, (performance.now() - start) / 1000);
    if (!request.path.startsWith("/v2")) return answer;
    return { ...answer, headers: { "docker-distribution-api-version": "registry/2.0", ...answer.headers } };
  }

  #route(request: RegistryRequest, visit: Visit): Promise<Answer> {
    const { path } = request;
    if (path.startsWith("/v2")) return this.#parts.api.answer(request, visit);
    if (path === "/token") return this.#token(request, visit);
    if (path === "/metrics") return this.#metrics(request, visit);
    if (path.startsWith(OPERATOR_PREFIX)) return this.#operate(request, visit);
    visit.kind = "page";
    return this.#parts.pages.answer(request, visit);
  }

  async #token(request: RegistryRequest, visit: Visit): Promise<Answer> {
    visit.kind = "token";
    const { tokens } = this.#parts.access;
    if (!tokens) throw new RegistryFault("UNSUPPORTED", "there is nothing at this path", { status: 404 });
    visit.action = "sign-in";
    const { body, caller } = await tokens.grant(request);
    visit.caller = caller;
    // Somebody who says no name signs in as nobody.
    if (caller.name === undefined) delete visit.action;
    return jsonAnswer(body, 200, { "cache-control": "no-store" });
  }

  async #metrics(request: RegistryRequest, visit: Visit): Promise<Answer> {
    visit.kind = "metrics";
    const { access, metrics } = this.#parts;
    visit.caller = await access.identify(request);
    if (!access.mayMeasure(visit.caller)) throw access.refusal(request, visit.caller, undefined, true);
    const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };
    return { status: 200, headers, body: metrics.text() };
  }

  async #operate(request: RegistryRequest, visit: Visit): Promise<Answer> {
    visit.kind = "operator";
    const { access, operators, audit } = this.#parts;
    // A page of somebody else's may make a browser send what it knows of passwords here.
    if (request.header("origin") !== undefined) throw new RegistryFault("DENIED", "this is not for pages");
    const caller = await access.identify(request);
    visit.caller = caller;
    if (!access.mayOperate(caller)) throw access.refusal(request, caller, undefined, true);
    return operators.answer(request, (action, detail) => {
      audit.note({
        action,
        ...(caller.name === undefined ? {} : { user: caller.name }),
        remote: request.remote,
        detail,
      });
    });
  }

  /** How an error is answered; what is our own fault is logged. */
  #refuse({ method, path }: RegistryRequest, error: unknown): Answer {
    const fault = toFault(error);
    if (fault.status >= 500) this.#parts.log.error("request failed", { method, path, error: fault.cause ?? fault });
    const { code, message, detail, status, headers } = fault;
    return jsonAnswer({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] }, status, headers);
  }

  #account(request: RegistryRequest, visit: Visit, { status, headers }: Answer, seconds: number): void {
    const { metrics } = this.#parts;
    const { kind } = visit;
    const method = METHODS.has(request.method) ? request.method : "other";
    metrics.add("havre_registry_requests_total", "Requests answered", { kind, method, status });
    metrics.took(kind, seconds);
    const sent = request.method === "HEAD" ? 0 : Number(headers?.["content-length"] ?? 0);
    if (sent > 0) metrics.add("havre_registry_sent_bytes_total", "Bytes of blobs and manifests sent", {}, sent);
    const refused = status === 403 || (status === 401 && request.header("authorization") !== undefined);
    if (visit.action === undefined && !refused) return;
    this.#parts.audit.note({
      action: visit.action ?? kind,
      ...(visit.caller?.name === undefined ? {} : { user: visit.caller.name }),
      remote: request.remote,
      agent: request.header("user-agent") ?? "",
      ...(visit.repository === undefined ? {} : { repository: visit.repository }),
      ...(visit.reference === undefined ? {} : { reference: visit.reference }),
      ...(headers?.["docker-content-digest"] === undefined ? {} : { digest: headers["docker-content-digest"] }),
      status,
    });
  }
}

const METHODS = new Set(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"]);
