import type { Digest } from "../base/mod.ts";
import type { Descriptor, Platform } from "../spec/mod.ts";
import type { OnProgress } from "./images.ts";
import type { Credentials } from "./registry/credentials.ts";

export interface PullRequest {
  /** As people write it; without tag or digest it means `latest`. */
  readonly reference: string;
  /** Every tag of the repository. */
  readonly allTags?: boolean;
  /** `os[/arch[/variant]]`; undefined: this machine's. */
  readonly platform?: string;
  /** Where the name stands for another platform already, stand beside that instead of taking its place. */
  readonly beside?: boolean;
  readonly credentials: Credentials;
}

export interface PushRequest {
  /** A repository with a tag; without one all its tags. */
  readonly reference: string;
  readonly credentials: Credentials;
}

/** One repository that a registry's search found. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly official: boolean;
}

/** Images to and from registries (OCI distribution specification 1.1, Docker registry v2). */
export interface Distribution {
  /** `not-found` with Docker's texts, also where the registry wants a sign-in; `data-loss` names the layer that is not what was promised. */
  pull(request: PullRequest, progress: OnProgress, signal?: AbortSignal): Promise<void>;
  /** `not-found` when nothing of the name is here; `permission-denied`. */
  push(request: PushRequest, progress: OnProgress, signal?: AbortSignal): Promise<void>;
  /** Checks credentials with a registry (`host[:port]`, a URL of it, or empty for Docker Hub). `unauthenticated`. */
  signIn(server: string, credentials: Credentials, signal?: AbortSignal): Promise<void>;
  /** What a reference names at its registry. */
  inspect(
    reference: string,
    credentials: Credentials,
    signal?: AbortSignal,
  ): Promise<{ readonly descriptor: Descriptor; readonly platforms: readonly Platform[] }>;
  search(term: string, limit: number, credentials: Credentials, signal?: AbortSignal): Promise<readonly SearchResult[]>;
  /** The digest that a name has at its registry now; undefined when it has none. */
  digestOf(reference: string, credentials: Credentials, signal?: AbortSignal): Promise<Digest | undefined>;
}
