import { type Digest, HavreError } from "../base/mod.ts";
import type { Distribution, OnProgress, PullRequest, PushRequest, SearchResult } from "../images/mod.ts";
import { type Catalogue, canonical, isCatalogueReference } from "./catalogue.ts";
import { CATALOGUE_DOMAIN } from "./entry.ts";

type Credentials = PullRequest["credentials"];

/** Registries as they are, and the catalogue as one more: to pull an image of it is to make it. */
export class CatalogueDistribution implements Distribution {
  readonly #registries: Distribution;
  readonly #catalogue: Catalogue;

  constructor(registries: Distribution, catalogue: Catalogue) {
    this.#registries = registries;
    this.#catalogue = catalogue;
  }

  async pull(request: PullRequest, progress: OnProgress, signal?: AbortSignal): Promise<void> {
    if (!isCatalogueReference(request.reference)) return this.#registries.pull(request, progress, signal);
    const { reference } = this.#catalogue.find(canonical(request.reference));
    const { image, fresh } = await this.#catalogue.build(reference, false, progress, signal);
    progress({ status: `Digest: ${image.manifest ?? image.id}` });
    progress({ status: `Status: ${fresh ? "Made" : "Image is up to date for"} ${reference}` });
  }

  async push(request: PushRequest, progress: OnProgress, signal?: AbortSignal): Promise<void> {
    if (!isCatalogueReference(request.reference)) return this.#registries.push(request, progress, signal);
    throw new HavreError(
      "invalid-argument",
      `${CATALOGUE_DOMAIN} is this machine's own catalogue: nothing is pushed to it`,
      {
        hint: "Give the image the name of a registry: havre tag IMAGE registry.example/NAME",
      },
    );
  }

  signIn(server: string, credentials: Credentials, signal?: AbortSignal): Promise<void> {
    return this.#registries.signIn(server, credentials, signal);
  }

  inspect(reference: string, credentials: Credentials, signal?: AbortSignal) {
    return this.#registries.inspect(reference, credentials, signal);
  }

  search(
    term: string,
    limit: number,
    credentials: Credentials,
    signal?: AbortSignal,
  ): Promise<readonly SearchResult[]> {
    return this.#registries.search(term, limit, credentials, signal);
  }

  digestOf(reference: string, credentials: Credentials, signal?: AbortSignal): Promise<Digest | undefined> {
    return this.#registries.digestOf(reference, credentials, signal);
  }
}
