import type { RepositoryAction } from "../../policy/mod.ts";
import type { RegistryFault } from "../fault.ts";
import type { RegistryRequest } from "../http/exchange.ts";

export type Action = RepositoryAction;

/** What a token says its bearer may do (Docker Registry v2 authentication, § Token's access claim). */
export interface TokenAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Who asks; without a name: anybody. */
export interface Caller {
  readonly name?: string;
  /** What the token they came with is for; undefined: they came without one. */
  readonly access?: readonly TokenAccess[];
}

/** What somebody wants of a repository; or the list of all there are. */
export type Wish = RepositoryWish | "catalog";

export interface RepositoryWish {
  readonly repository: string;
  readonly action: Action;
}

/** Who may do what. */
export interface Access {
  /** Who asks, as their request shows. UNAUTHORIZED for a wrong password or token. */
  identify(request: RegistryRequest): Promise<Caller>;
  /** Whether a caller may; never throws. */
  may(caller: Caller, repository: string, action: Action): boolean;
  /** Whether they may have a list of repositories at all. */
  mayList(caller: Caller): boolean;
  /** Whether such a list shows them this one. */
  maySee(caller: Caller, repository: string): boolean;
  /** Whether they are an operator: admin of all repositories there may ever be. */
  mayOperate(caller: Caller): boolean;
  /** Whether they may read the metrics. */
  mayMeasure(caller: Caller): boolean;
  /** Whether `/v2/` lets them in, which is how clients find out whether they have to sign in. */
  isKnown(caller: Caller): boolean;
  /**
   * Why a caller is not let through: UNAUTHORIZED with how to sign in where that may help, else DENIED. `browser`: the
   * challenge is one that browsers know.
   */
  refusal(request: RegistryRequest, caller: Caller, wish?: Wish, browser?: boolean): RegistryFault;
  /** Answers who signs in for a token; undefined where that is not done here. */
  readonly tokens?: TokenSource;
}

/** The registry's own token server. */
export interface TokenSource {
  /** UNAUTHORIZED for a wrong password. */
  grant(request: RegistryRequest): Promise<{ readonly body: unknown; readonly caller: Caller }>;
}

/** A registry without users: whoever reaches it may do everything. */
export const openAccess: Access = {
  identify: async () => ({}),
  may: () => true,
  mayList: () => true,
  maySee: () => true,
  mayOperate: () => true,
  mayMeasure: () => true,
  isKnown: () => true,
  refusal: () => {
    throw new Error("An open registry refuses nobody");
  },
};
