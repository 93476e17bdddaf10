import { createHash } from "node:crypto";
import type { Clock } from "../../base/mod.ts";
import type { RepositoryRoles } from "../../policy/mod.ts";
import { RegistryFault } from "../fault.ts";
import type { RegistryRequest } from "../http/exchange.ts";
import type { Access, Action, Caller, TokenAccess, TokenSource, Wish } from "./access.ts";
import { type Claims, readToken, type TrustedKeys } from "./jwt.ts";
import { readBasic, type Users } from "./users.ts";

/** How many tokens that were right are remembered: a client sends one many times. */
const REMEMBERED = 5000;

/** Whose tokens are believed, and where clients get them. */
export interface TokenRules {
  readonly issuer: string;
  readonly service: string;
  readonly keys: TrustedKeys;
  /** undefined: at this registry. */
  readonly realm?: string;
}

export interface AccessRules {
  readonly users?: Users;
  /** undefined: users may do everything. */
  readonly roles?: RepositoryRoles;
  readonly tokens?: TokenRules;
  readonly source?: (access: Pick<Access, "may" | "mayOperate">) => TokenSource & { readonly trusted: TrustedKeys };
  /** Who may read the metrics besides operators. */
  readonly metrics: readonly string[];
  /** The registry's own address, where it cannot be told from requests. */
  readonly url?: string;
}

/** Users with passwords, tokens of this registry or of another server, and roles. */
export class RuledAccess implements Access {
  readonly tokens?: TokenSource;
  readonly #rules: AccessRules;
  readonly #tokenRules: TokenRules | undefined;
  readonly #clock: Clock;
  readonly #known = new Map<string, Claims>();

  constructor(rules: AccessRules, clock: Clock, own?: Pick<TokenRules, "issuer" | "service">) {
    this.#rules = rules;
    this.#clock = clock;
    const source = rules.source?.({
      may: (caller, repository, action) => this.may(caller, repository, action),
      mayOperate: (caller) => this.mayOperate(caller),
    });
    if (source) this.tokens = source;
    this.#tokenRules = source && own ? { ...own, keys: source.trusted } : rules.tokens;
  }

  async identify(request: RegistryRequest): Promise<Caller> {
    const header = request.header("authorization");
    if (header === undefined) return {};
    const token = /^bearer +(\S+)$/i.exec(header)?.[1];
    if (token !== undefined && this.#tokenRules) return this.#bearer(request, token, this.#tokenRules);
    const basic = readBasic(header);
    if (!basic) throw this.#unauthorized(request, "authentication required");
    if (!this.#rules.users || !(await this.#rules.users.check(basic.name, basic.password))) {
      throw this.#unauthorized(request, "the name or the password is wrong");
    }
    return { name: basic.name };
  }

  may({ name, access }: Caller, repository: string, action: Action): boolean {
    if (access === undefined && this.#isForeign) return false;
    if (access !== undefined) {
      const wanted = action === "admin" ? "*" : action;
      const granted = access.some(
        (one) =>
          one.type === "repository" &&
          one.name === repository &&
          (one.actions.includes(wanted) || one.actions.includes("*")),
      );
      if (!granted) return false;
    }
    return this.#allows(name, repository, action);
  }

  maySee(caller: Caller, repository: string): boolean {
    if (!caller.access?.some(isCatalog)) return this.may(caller, repository, "pull");
    return this.#allows(caller.name, repository, "pull");
  }

  mayList({ name, access }: Caller): boolean {
    return access ? access.some(isCatalog) : name !== undefined;
  }

  mayOperate({ name, access }: Caller): boolean {
    if (this.#isForeign)
      return access?.some(({ type, actions }) => type === "registry" && actions.includes("*")) ?? false;
    const { roles } = this.#rules;
    return roles ? roles.everywhere(name, "admin") : name !== undefined;
  }

  mayMeasure(caller: Caller): boolean {
    const { metrics, roles } = this.#rules;
    return this.mayOperate(caller) || roles?.names(metrics, caller.name) !== undefined;
  }

  /** A token is enough: what it is for is looked at where something is asked for. */
  isKnown({ name, access }: Caller): boolean {
    return name !== undefined || access !== undefined;
  }

  refusal(request: RegistryRequest, caller: Caller, wish?: Wish, browser = false): RegistryFault {
    const { name } = caller;
    if (name !== undefined && wish !== "catalog" && !(wish && this.#allows(name, wish.repository, wish.action))) {
      const what = wish ? `${name} may not ${wish.action} ${wish.repository}` : `${name} is no operator`;
      return new RegistryFault("DENIED", `requested access to the resource is denied: ${what}`, detailOf(wish));
    }
    return this.#unauthorized(request, "authentication required", wish, browser);
  }

  /** Another server decides who may do what. */
  get #isForeign(): boolean {
    return this.#rules.tokens !== undefined;
  }

  #allows(name: string | undefined, repository: string, action: Action): boolean {
    if (this.#isForeign) return true;
    const { roles } = this.#rules;
    return roles ? roles.decide(name, repository, action).allowed : name !== undefined;
  }

  #bearer(request: RegistryRequest, token: string, rules: TokenRules): Caller {
    const now = this.#clock.now() / 1000;
    const mark = createHash("sha256").update(token).digest("base64");
    const known = this.#known.get(mark);
    const claims = known && known.expires > now ? known : readToken(token, rules.keys, now);
    if (typeof claims === "string") throw this.#unauthorized(request, `the token is not taken: ${claims}`);
    if (claims.issuer !== rules.issuer) throw this.#unauthorized(request, "the token is not taken: another issuer");
    if (!claims.audience.includes(rules.service)) {
      throw this.#unauthorized(request, "the token is not taken: it is for another service");
    }
    const { subject, access } = claims;
    if (subject !== "" && this.#rules.users && !this.#rules.users.has(subject)) {
      throw this.#unauthorized(request, "the token is not taken: its user is no more");
    }
    if (!known) {
      if (this.#known.size >= REMEMBERED) this.#known.clear();
      this.#known.set(mark, claims);
    }
    return { ...(subject === "" ? {} : { name: subject }), access };
  }

  #unauthorized(request: RegistryRequest, message: string, wish?: Wish, browser = false): RegistryFault {
    const headers = { "www-authenticate": browser && this.#rules.users ? BASIC : this.#challenge(request, wish) };
    return new RegistryFault("UNAUTHORIZED", message, { headers, ...detailOf(wish) });
  }

  #challenge(request: RegistryRequest, wish: Wish | undefined): string {
    const rules = this.#tokenRules;
    if (!rules) return BASIC;
    const realm = rules.realm ?? `${this.#rules.url ?? ownAddress(request)}/token`;
    return `Bearer realm="${realm}",service="${rules.service}"${scopeOf(wish)}`;
  }
}

const BASIC = 'Basic realm="Havre registry"';

function scopeOf(wish: Wish | undefined): string {
  if (wish === undefined) return "";
  if (wish === "catalog") return ',scope="registry:catalog:*"';
  // Who pushes will pull too.
  const actions = wish.action === "push" ? "pull,push" : wish.action === "admin" ? "*" : wish.action;
  return `,scope="repository:${wish.repository}:${actions}"`;
}

function isCatalog({ type, name }: TokenAccess): boolean {
  return type === "registry" && name === "catalog";
}

/** As the client called us; what is no host name is not repeated. */
function ownAddress(request: RegistryRequest): string {
  const host = request.header("host") ?? "";
  return `${request.secure ? "https" : "http"}://${/^[\w.:[\]-]+$/.test(host) ? host : "localhost"}`;
}

function detailOf(wish: Wish | undefined) {
  if (wish === undefined || wish === "catalog") return {};
  return { detail: [{ Type: "repository", Class: "", Name: wish.repository, Action: wish.action }] };
}
