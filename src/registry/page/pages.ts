import type { Digest } from "../../base/mod.ts";
import { type Descriptor, type ImageConfig, type Manifest, mediaTypes } from "../../spec/mod.ts";
import type { Access, Caller } from "../access/access.ts";
import type { RegistryContext } from "../context.ts";
import { RegistryFault } from "../fault.ts";
import type { Answer, RegistryRequest } from "../http/exchange.ts";
import type { Visit } from "../http/visit.ts";
import { checkName, readReference } from "../names.ts";
import { inRepository, type ManifestRecord, manifestRecords, tagId, tagRecords } from "../objects.ts";
import type { Registry } from "../registry.ts";
import type { Rules } from "../rules.ts";
import type { Usage } from "../usage.ts";
import { page } from "./frame.ts";
import { imagePage, type Platformed, repositoriesPage, repositoryPage } from "./repository-page.ts";
import { STYLE } from "./style.ts";

const PREFIX = "/repositories/";
const PER_PAGE = 200;
const CONFIG_LIMIT = 4 << 20;

export interface PagesParts {
  readonly context: RegistryContext;
  readonly registry: Registry;
  readonly access: Access;
  readonly rules: Pick<Rules, "room" | "immutable">;
  readonly usage: Usage;
}

/** The pages for people: what is here, as far as they may pull it. */
export class Pages {
  readonly #parts: PagesParts;

  constructor(parts: PagesParts) {
    this.#parts = parts;
  }

  async answer(request: RegistryRequest, visit: Visit): Promise<Answer> {
    const { method, path, query } = request;
    if (method !== "GET" && method !== "HEAD")
      throw new RegistryFault("UNSUPPORTED", `${method} is not supported here`);
    if (path === "/style.css") {
      return { status: 200, headers: { "content-type": "text/css", "cache-control": "max-age=3600" }, body: STYLE };
    }
    const { access } = this.#parts;
    const caller = await access.identify(request);
    visit.caller = caller;
    if (path === "/") {
      if (query.has("sign-in") && !access.isKnown(caller)) throw access.refusal(request, caller, undefined, true);
      return this.#repositories(request, caller, query.get("after") ?? "");
    }
    if (!path.startsWith(PREFIX))
      throw new RegistryFault("UNSUPPORTED", "there is nothing at this path", { status: 404 });
    const repository = checkName(path.slice(PREFIX.length).replace(/\/$/, ""));
    if (!access.maySee(caller, repository)) {
      throw access.refusal(request, caller, { repository, action: "pull" }, true);
    }
    const reference = query.get("tag") ?? query.get("digest");
    if (reference !== null) return this.#image(request, caller, repository, reference);
    return this.#repository(request, caller, repository);
  }

  #repositories(request: RegistryRequest, caller: Caller, after: string): Answer {
    const { context, registry, access, usage } = this.#parts;
    const visible = registry.tags.repositories().filter((name) => access.maySee(caller, name));
    // Who sees nothing may see something once signed in.
    if (visible.length === 0 && !access.isKnown(caller)) throw access.refusal(request, caller, undefined, true);
    const rest = visible.filter((name) => name > after);
    const shown = rest.slice(0, PER_PAGE);
    const rows = shown.map((name) => {
      const tags = registry.tags.records(name);
      const at = tags.length === 0 ? undefined : Math.max(...tags.map((tag) => tag.at));
      return { name, tags: tags.length, bytes: usage.of(name), at };
    });
    const more = rest.length > shown.length ? shown.at(-1) : undefined;
    return page("Havre registry", caller.name, repositoriesPage(rows, more, context.clock.now()));
  }

  #repository(request: RegistryRequest, caller: Caller, name: string): Answer {
    const { context, registry, rules, usage } = this.#parts;
    registry.tags.list(name); // NAME_UNKNOWN.
    const records = context.store.view((tx) => tx.find(manifestRecords, "repository", name));
    const tags = [...registry.tags.records(name)].sort((a, b) => b.at - a.at);
    const pointed = new Set(tags.map(({ digest }) => digest));
    for (const { manifests } of records) for (const part of manifests) pointed.add(part);
    const rows = tags.map((tag) => {
      const record = records.find(({ digest }) => digest === tag.digest);
      const immutable = rules.immutable(name, tag.name);
      return { tag, bytes: record ? this.#bytes(record) : 0, what: record ? whatIs(record) : "", immutable };
    });
    const view = {
      name,
      address: addressOf(request),
      bytes: usage.of(name),
      room: rules.room(name),
      tags: rows,
      untagged: records.filter(({ digest }) => !pointed.has(digest)).length,
    };
    return page(name, caller.name, repositoryPage(view, context.clock.now()));
  }

  async #image(request: RegistryRequest, caller: Caller, repository: string, reference: string): Promise<Answer> {
    const { context, registry } = this.#parts;
    const name = readReference(reference);
    const record = registry.manifests.find(repository, name);
    const manifest = JSON.parse(
      Buffer.from(await registry.manifests.bytes(record)).toString("utf8"),
    ) as Partial<Manifest>;
    const config = await this.#config(repository, manifest.config);
    const layers = manifest.layers ?? [];
    const view = {
      repository,
      address: addressOf(request),
      title: "tag" in name ? `:${name.tag}` : `@${name.digest.slice(0, 19)}`,
      tag: "tag" in name ? context.store.view((tx) => tx.get(tagRecords, tagId(repository, name.tag))) : undefined,
      record,
      bytes: this.#bytes(record),
      platforms: this.#platforms(repository, (manifest as { manifests?: readonly Descriptor[] }).manifests ?? []),
      layers,
      facts: factsOf(config, record),
      steps: stepsOf(config, layers),
      referrers: context.store.view((tx) =>
        tx.find(manifestRecords, "subject", inRepository(repository, record.digest)),
      ),
    };
    return page(`${repository}${view.title}`, caller.name, imagePage(view, context.clock.now()));
  }

  /** What it and all that it names have, as a pull would bring it. */
  #bytes(record: ManifestRecord): number {
    const { store } = this.#parts.context;
    if (record.manifests.length === 0) return record.contentSize;
    const parts = record.manifests.map((part) =>
      store.view((tx) => tx.get(manifestRecords, inRepository(record.repository, part))),
    );
    return parts.reduce((sum, part) => sum + (part?.contentSize ?? 0), 0);
  }

  #platforms(repository: string, manifests: readonly Descriptor[]): readonly Platformed[] {
    const { store } = this.#parts.context;
    return manifests.map(({ digest, platform, artifactType, mediaType }) => {
      const child = store.view((tx) => tx.get(manifestRecords, inRepository(repository, digest)));
      const name = platform && [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
      return { platform: name ?? artifactType ?? mediaType, digest, bytes: child?.contentSize ?? 0 };
    });
  }

  /** An image's configuration; undefined for what is no image, or not here. */
  async #config(repository: string, descriptor: Descriptor | undefined): Promise<Partial<ImageConfig> | undefined> {
    const types: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig];
    if (!descriptor || !types.includes(descriptor.mediaType)) return undefined;
    try {
      const { digest } = this.#parts.registry.blobs.find(repository, descriptor.digest as Digest);
      const bytes = await this.#parts.context.content.read(digest, CONFIG_LIMIT);
      const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
      return typeof value === "object" && value !== null ? (value as Partial<ImageConfig>) : undefined;
    } catch {
      return undefined; // A page about what is broken is better than none.
    }
  }
}

function whatIs({ mediaType, artifactType, manifests }: ManifestRecord): string {
  if (mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerManifestList) {
    return manifests.length === 1 ? "index of one" : `index of ${manifests.length}`;
  }
  if (artifactType === undefined || artifactType === mediaTypes.ociConfig || artifactType === mediaTypes.dockerConfig) {
    return "image";
  }
  return artifactType;
}

function factsOf(
  config: Partial<ImageConfig> | undefined,
  record: ManifestRecord,
): readonly (readonly [string, string])[] {
  const facts: [string, string | undefined][] = [
    ["Artifact type", record.subject === undefined ? undefined : record.artifactType],
    ["Refers to", record.subject],
    ["Platform", config && [config.os, config.architecture].filter(Boolean).join("/")],
    ["Made", typeof config?.created === "string" ? config.created : undefined],
    ["User", config?.config?.User],
    ["Entry point", config?.config?.Entrypoint?.join(" ")],
    ["Command", config?.config?.Cmd?.join(" ")],
    ["Ports", Object.keys(config?.config?.ExposedPorts ?? {}).join(", ")],
  ];
  return facts.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
}

function stepsOf(config: Partial<ImageConfig> | undefined, layers: readonly Descriptor[]) {
  let next = 0;
  const steps = (Array.isArray(config?.history) ? config.history : []).map(
    ({ created, created_by, empty_layer, comment }) => {
      const at = Date.parse(created ?? "");
      return {
        step: created_by || comment || "",
        bytes: empty_layer ? undefined : layers[next++]?.size,
        at: Number.isNaN(at) ? undefined : at,
      };
    },
  );
  if (steps.length > 0) return steps;
  return layers.map(({ mediaType, size }) => ({ step: mediaType, bytes: size, at: undefined }));
}

function addressOf(request: RegistryRequest): string {
  return request.header("host") ?? "";
}
