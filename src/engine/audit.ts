import type { Images } from "../images/mod.ts";
import {
  type AuditedHost,
  containerChecks,
  examine,
  type Finding,
  hostChecks,
  imageChecks,
  type Subject,
} from "../policy/mod.ts";
import { parseReference } from "../spec/mod.ts";
import { type Container, containerKind } from "./container.ts";
import type { EngineContext } from "./context.ts";
import { getContainer } from "./lookup.ts";

/** What is known of an image's way here: of its lowest layer, where it was first seen. */
export interface ImageOrigins {
  log(nameOrId: string): readonly { readonly layer?: { readonly arrived: { readonly origin: string } | undefined } }[];
}

/** Looks at containers, images and the host by the ten practices. Reads only. */
export class Audits {
  readonly #context: EngineContext;
  readonly #images: Pick<Images, "list" | "get" | "find" | "resolve">;
  readonly #origins: ImageOrigins;
  readonly #host: () => AuditedHost;

  constructor(
    context: EngineContext,
    images: Pick<Images, "list" | "get" | "find" | "resolve"> & ImageOrigins,
    host: () => AuditedHost,
  ) {
    this.#context = context;
    this.#images = images;
    this.#origins = images;
    this.#host = host;
  }

  /** Of one container; `not-found`. */
  container(ref: string): readonly Finding[] {
    return this.#container(getContainer(this.#context.store, ref));
  }

  /** Of one image; `not-found`. */
  image(nameOrId: string): readonly Finding[] {
    const { id, config, tags, digests } = this.#images.resolve(nameOrId);
    const name = tags[0] ?? digests[0] ?? id;
    const lowest = this.#origins.log(id).findLast(({ layer }) => layer !== undefined)?.layer;
    const registries = [...new Set([...tags, ...digests].map((known) => parseReference(known).domain))];
    return examine(imageChecks, subject("image", id, name), {
      name,
      config: config.config ?? {},
      traced: digests.length > 0 || (lowest !== undefined && lowest.arrived?.origin !== "import"),
      // A short name that never came from a registry is of this machine, whatever its full form says.
      registries: digests.length > 0 ? registries : registries.filter((host) => host !== "docker.io"),
    });
  }

  host(): readonly Finding[] {
    const { hostname } = this.#context.host;
    return examine(hostChecks, subject("host", hostname, hostname), this.#host());
  }

  /** Of the host, every container, and every image that a container uses. */
  all(): readonly Finding[] {
    const containers = this.#context.store
      .view((tx) => [...tx.list(containerKind)])
      .filter(({ status }) => status.state !== "removing");
    const used = new Set(containers.flatMap(({ spec }) => (spec.imageId === undefined ? [] : [spec.imageId])));
    const images = [...used].filter((id) => this.#images.get(id) !== undefined);
    return [
      ...this.host(),
      ...containers.flatMap((container) => this.#container(container)),
      ...images.flatMap((id) => this.image(id)),
    ];
  }

  #container({ id, name, spec }: Container): readonly Finding[] {
    const { config, hostConfig, mounts, imageId } = spec;
    const meant = this.#images.find(config.Image);
    return examine(containerChecks, subject("container", id, name), {
      name,
      config,
      hostConfig,
      mounts,
      ownUsers: this.#context.identities.of(id) !== undefined,
      staleImage: meant !== undefined && imageId !== undefined && meant.id !== imageId,
    });
  }
}

const subject = (kind: Subject["kind"], id: string, name: string): Subject => ({ kind, id, name });
