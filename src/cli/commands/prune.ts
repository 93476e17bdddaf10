import type { Client } from "../../client/mod.ts";
import { type Filters, filtersQuery } from "../args/common.ts";

/** What a prune took away, as lines to show, and the bytes it freed. */
export interface Pruned {
  readonly lines: readonly string[];
  readonly reclaimed: number;
}

export async function pruneContainers(client: Client, filters: Filters): Promise<Pruned> {
  const answer = await client.json<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }>(
    "POST",
    "/containers/prune",
    { query: { filters: filtersQuery(filters) } },
  );
  const deleted = answer.ContainersDeleted ?? [];
  return { lines: deleted.length > 0 ? ["Deleted Containers:", ...deleted, ""] : [], reclaimed: answer.SpaceReclaimed };
}

export async function pruneNetworks(client: Client, filters: Filters): Promise<Pruned> {
  const answer = await client.json<{ NetworksDeleted: string[] | null }>("POST", "/networks/prune", {
    query: { filters: filtersQuery(filters) },
  });
  const deleted = answer.NetworksDeleted ?? [];
  return { lines: deleted.length > 0 ? ["Deleted Networks:", ...deleted, ""] : [], reclaimed: 0 };
}

export async function pruneImages(client: Client, filters: Filters, all: boolean): Promise<Pruned> {
  const answer = await client.json<{
    ImagesDeleted: { Untagged?: string; Deleted?: string }[] | null;
    SpaceReclaimed: number;
  }>("POST", "/images/prune", { query: { filters: filtersQuery({ ...filters, dangling: [String(!all)] }) } });
  const lines = (answer.ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
    Untagged ? `untagged: ${Untagged}` : `deleted: ${Deleted}`,
  );
  return { lines: lines.length > 0 ? ["Deleted Images:", ...lines, ""] : [], reclaimed: answer.SpaceReclaimed };
}

export async function pruneVolumes(client: Client, filters: Filters, all: boolean): Promise<Pruned> {
  const wanted = all ? { ...filters, all: ["true"] } : filters;
  const answer = await client.json<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }>(
    "POST",
    "/volumes/prune",
    { query: { filters: filtersQuery(wanted) } },
  );
  const deleted = answer.VolumesDeleted ?? [];
  return { lines: deleted.length > 0 ? ["Deleted Volumes:", ...deleted, ""] : [], reclaimed: answer.SpaceReclaimed };
}

/** `keep`: bytes that may stay; 0: nothing that can go. */
export async function pruneBuildCache(
  client: Client,
  filters: Filters,
  { all, keep = 0 }: { readonly all: boolean; readonly keep?: number },
): Promise<Pruned> {
  const answer = await client.json<{ CachesDeleted: string[] | null; SpaceReclaimed: number }>("POST", "/build/prune", {
    query: {
      filters: filtersQuery(filters),
      ...(all ? { all: "1" } : {}),
      ...(keep > 0 ? { "keep-storage": String(keep) } : {}),
    },
  });
  const deleted = answer.CachesDeleted ?? [];
  const heading = "Deleted build cache objects:";
  return { lines: deleted.length > 0 ? [heading, ...deleted, ""] : [], reclaimed: answer.SpaceReclaimed };
}
