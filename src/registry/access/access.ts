import type { RegistryRequest } from "../http/exchange.ts";

export type Action = "pull" | "push" | "delete" | "admin";

/** Who asks; without a name: anybody. */
export interface Caller {
  readonly name?: string;
}

/** Who may do what. */
export interface Access {
  /** UNAUTHORIZED when the registry wants a sign-in first, DENIED when it would not help. */
  check(request: RegistryRequest, repository: string, action: Action): Promise<Caller>;
  /** Whether a caller may; never throws. */
  may(caller: Caller, repository: string, action: Action): boolean;
  /** Lets in who signed in, or everybody where anybody may pull something. UNAUTHORIZED. */
  signedIn(request: RegistryRequest): Promise<Caller>;
  /** Who may see the list of repositories (of which each sees what they may pull). UNAUTHORIZED. */
  catalog(request: RegistryRequest): Promise<Caller>;
}

/** A registry without users: whoever reaches it may do everything. */
export const openAccess: Access = {
  check: async () => ({}),
  may: () => true,
  signedIn: async () => ({}),
  catalog: async () => ({}),
};
