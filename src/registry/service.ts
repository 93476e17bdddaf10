import { join } from "node:path";
import type { Clock, Logger } from "../base/mod.ts";
import type { ContentStore } from "../content/mod.ts";
import { RepositoryRoles } from "../policy/mod.ts";
import type { Store } from "../store/mod.ts";
import { type Access, openAccess } from "./access/access.ts";
import { readTrustedKeys } from "./access/jwt.ts";
import { RuledAccess } from "./access/ruled-access.ts";
import { OWN_ISSUER, OWN_SERVICE, ownKey, TokenIssuer } from "./access/token-issuer.ts";
import { Users, type VerifyPassword } from "./access/users.ts";
import { type Audit, AuditFile, noAudit } from "./audit.ts";
import { Pins, type RegistryContext } from "./context.ts";
import { DistributionApi } from "./http/api.ts";
import type { Answer, RegistryRequest } from "./http/exchange.ts";
import { Front } from "./http/front.ts";
import { OperatorApi } from "./http/operator-api.ts";
import { Metrics } from "./metrics.ts";
import { Mirrors } from "./mirror/mirrors.ts";
import type { Connect } from "./mirror/upstream.ts";
import { Webhooks } from "./notifications/webhooks.ts";
import { blobLinks, manifestRecords, tagRecords, uploadRecords } from "./objects.ts";
import { Pages } from "./page/pages.ts";
import { Registry } from "./registry.ts";
import { RepositoryRules } from "./rules.ts";
import type { RegistrySettings } from "./settings/settings.ts";
import { Upkeep } from "./upkeep/upkeep.ts";
import { Usage } from "./usage.ts";

export interface ServiceParts {
  /** Folder of the registry's data, for the key that it signs tokens with. */
  readonly root: string;
  readonly store: Store;
  readonly content: ContentStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly verifyPassword: VerifyPassword;
  readonly connect: Connect;
  /** The registry's address as it listens, where its settings name none. */
  readonly address: () => string;
}

/** One registry with its settings, which may be replaced while it serves. */
export class RegistryService implements AsyncDisposable {
  readonly registry: Registry;
  readonly upkeep: Upkeep;
  readonly #parts: ServiceParts;
  readonly #context: RegistryContext;
  readonly #usage: Usage;
  readonly #rules: RepositoryRules;
  readonly #webhooks: Webhooks;
  readonly #mirrors: Mirrors;
  readonly #metrics = new Metrics();
  #settings: RegistrySettings;
  #audit: Audit & Partial<Disposable> = noAudit;
  #front: Front;
  #ownerFront: Front;

  constructor(parts: ServiceParts, settings: RegistrySettings) {
    const { store, content, clock, log } = parts;
    this.#parts = parts;
    this.#settings = settings;
    const url = () => this.#settings.url ?? parts.address();
    this.#webhooks = new Webhooks({ store, clock, log, url });
    this.#context = { store, content, clock, log, pins: new Pins(), changes: this.#webhooks };
    this.#usage = new Usage(store);
    this.#rules = new RepositoryRules(settings.repositories, this.#usage);
    this.registry = new Registry(this.#context, this.#rules);
    this.#mirrors = new Mirrors(this.#context, this.registry.manifests, this.registry.blobs, parts.connect);
    this.upkeep = new Upkeep(this.#context, this.registry, this.#rules);
    this.#measure();
    [this.#front, this.#ownerFront] = this.#make(settings);
  }

  /** Begins what the settings want done besides answering. */
  async start(): Promise<void> {
    this.#mirrors.replace(this.#settings.mirrors);
    await this.#begin(this.#settings);
  }

  /** Answers whoever comes, as the rules let them. */
  answer(request: RegistryRequest): Promise<Answer> {
    return this.#front.answer(request);
  }

  /** Answers who owns the registry's folder, and so may do everything. */
  answerOwner(request: RegistryRequest): Promise<Answer> {
    return this.#ownerFront.answer(request);
  }

  /** Goes by other settings from the next request on. When they cannot be followed nothing changes, and it throws why. */
  async replace(settings: RegistrySettings): Promise<void> {
    // First what reads other files and may fail.
    this.#mirrors.replace(settings.mirrors);
    const before = this.#audit;
    [this.#front, this.#ownerFront] = this.#make(settings);
    if (before !== this.#audit) before[Symbol.dispose]?.();
    this.#settings = settings;
    this.#rules.replace(settings.repositories);
    await this.#begin(settings);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.upkeep.every(undefined, () => {});
    await this.#webhooks[Symbol.asyncDispose]();
    await this.registry.uploads.close();
    this.#audit[Symbol.dispose]?.();
  }

  async #begin({ webhooks, housekeepingMs }: RegistrySettings): Promise<void> {
    await this.#webhooks.replace(webhooks);
    this.upkeep.every(housekeepingMs, (action, detail) => this.#audit.note({ action, user: "havre-registry", detail }));
  }

  #make(settings: RegistrySettings): [open: Front, owner: Front] {
    const { clock, log } = this.#parts;
    const access = this.#access(settings);
    const audit = settings.audit === undefined ? noAudit : new AuditFile(settings.audit, clock, log);
    this.#audit = audit;
    const operators = new OperatorApi(this.upkeep);
    const make = (who: Access): Front => {
      const pages = new Pages({
        context: this.#context,
        registry: this.registry,
        access: who,
        rules: this.#rules,
        usage: this.#usage,
      });
      const api = new DistributionApi(this.registry, who, this.#mirrors);
      return new Front({ access: who, api, operators, pages, metrics: this.#metrics, audit, clock, log });
    };
    return [make(access), make(openAccess)];
  }

  #access(settings: RegistrySettings): Access {
    const { root, clock, verifyPassword } = this.#parts;
    const { users: path, token, trust, repositories, groups, metrics, url } = settings;
    if (path === undefined && !trust) return openAccess;
    const hasRoles = repositories.some(({ roles }) => Object.keys(roles).length > 0);
    const common = { metrics, ...(url === undefined ? {} : { url }) };
    if (trust) {
      const { realm, service, issuer, keys } = trust;
      return new RuledAccess({ ...common, tokens: { realm, service, issuer, keys: readTrustedKeys(keys) } }, clock);
    }
    const users = new Users(path ?? "", verifyPassword);
    const ruled = { ...common, users, ...(hasRoles ? { roles: new RepositoryRoles(repositories, groups) } : {}) };
    if (!token) return new RuledAccess(ruled, clock);
    const key = ownKey(join(root, "token.key"));
    const source = (access: Pick<Access, "may" | "mayOperate">) =>
      new TokenIssuer(key, users, access, token.lifetimeMs, clock);
    return new RuledAccess({ ...ruled, source }, clock, { issuer: OWN_ISSUER, service: OWN_SERVICE });
  }

  #measure(): void {
    const { store } = this.#parts;
    const gauge = (name: string, help: string, read: () => number) =>
      this.#metrics.read("gauge", `havre_registry_${name}`, help, read);
    const counter = (name: string, help: string, read: () => number) =>
      this.#metrics.read("counter", `havre_registry_${name}`, help, read);
    gauge("repositories", "Repositories that hold something", () => this.registry.tags.repositories().length);
    gauge("tags", "Tags", () => store.view((tx) => tx.list(tagRecords).length));
    gauge("manifests", "Manifests", () => store.view((tx) => tx.list(manifestRecords).length));
    gauge("blobs", "Blobs, each counted in every repository that has it", () =>
      store.view((tx) => tx.list(blobLinks).length),
    );
    gauge("bytes", "Bytes of all repositories, shared ones counted in each", () => this.#usage.total(() => true));
    gauge("uploads", "Uploads that were begun and not ended", () => store.view((tx) => tx.list(uploadRecords).length));
    gauge("webhooks_waiting", "Events that receivers have not taken yet", () => this.#webhooks.waiting);
    counter("webhooks_delivered_total", "Events taken by receivers", () => this.#webhooks.delivered);
    counter("webhooks_failed_total", "Attempts that receivers did not take", () => this.#webhooks.failed);
    counter("webhooks_dropped_total", "Events given up", () => this.#webhooks.dropped);
    counter("mirror_hits_total", "Requests answered from a mirror's copies", () => this.#mirrors.hits);
    counter("mirror_misses_total", "Requests for which upstream was read", () => this.#mirrors.misses);
    counter("collections_total", "Garbage collections", () => this.upkeep.runs);
    counter("collected_bytes_total", "Bytes freed by garbage collections", () => this.upkeep.freed);
  }
}
