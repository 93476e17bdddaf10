import type { Container } from "../../engine/mod.ts";
import type { Sizes, Surroundings } from "./projections/container-summary.ts";
import type { NetworkIds } from "./projections/endpoint.ts";
import type { UseCases } from "./use-cases.ts";

export function networkIds({ networks }: Pick<UseCases, "networks">): NetworkIds {
  return new Map(networks.list().map(({ name, id }) => [name, id]));
}

/** What the projections of containers need to know of the rest of the host, now. */
export function surroundingsOf(useCases: Pick<UseCases, "networks" | "images" | "containers">): Surroundings {
  const parents = useCases.containers.list().filter(({ spec }) => spec.links !== undefined);
  return {
    linkNames: ({ id }) =>
      parents.flatMap(({ name, spec }) =>
        (spec.links ?? []).filter((link) => link.containerId === id).map(({ alias }) => `/${name}/${alias}`),
      ),
    now: Date.now(),
    networkIds: networkIds(useCases),
    shownImage: ({ spec }) => {
      const { imageId, config } = spec;
      if (imageId === undefined || config.Image === imageId) return config.Image;
      return useCases.images.find(config.Image)?.id === imageId ? config.Image : imageId;
    },
  };
}

/** `/name:/own name/alias` for each container that this one links to and that is still there. */
export function linksOf({ name, spec }: Container, { containers }: Pick<UseCases, "containers">): readonly string[] {
  if (spec.links === undefined) return [];
  const names = new Map(containers.list().map((other) => [other.id, other.name]));
  return spec.links.flatMap(({ containerId, alias }) => {
    const linked = names.get(containerId);
    return linked === undefined ? [] : [`/${linked}:/${name}/${alias}`];
  });
}

/** Bytes as Docker counts them: of files, not of the disk. */
export async function sizesOf(container: Container, { containers }: Pick<UseCases, "containers">): Promise<Sizes> {
  const { writable, rootSize } = await containers.usage(container.id);
  return { writable: writable.content, root: rootSize };
}
