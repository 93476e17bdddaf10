import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { CacheEntry, CachePrune } from "../solver/build-cache.ts";
import type { PruneRequest, UsageRecordSchema } from "./wire/control.ts";

const TYPES: Readonly<Record<CacheEntry["kind"], string>> = { step: "regular", folder: "exec.cachemount" };
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/** What a build left, as `docker buildx du` shows it. */
export function usageRecord(entry: CacheEntry): MessageInitShape<typeof UsageRecordSchema> {
  return {
    id: entry.id.replace(/^sha256:/, "").slice(0, 25),
    mutable: entry.kind === "folder",
    inUse: entry.inUse,
    size: BigInt(entry.size),
    createdAt: timestampFromMs(Math.round(entry.createdAt)),
    lastUsedAt: timestampFromMs(Math.round(entry.usedAt)),
    usageCount: BigInt(entry.uses),
    description: entry.description,
    recordType: TYPES[entry.kind],
    shared: entry.shared,
  };
}

/** What `docker buildx prune` asks to go. `now`: milliseconds since the epoch. */
export function cachePrune({ all, keepDuration, filter, reservedSpace }: PruneRequest, now: number): CachePrune {
  const types = filter.flatMap((text) => /^type==(.*)$/.exec(text)?.[1] ?? []);
  const ids = filter.flatMap((text) => /^id[=~]=(.*)$/.exec(text)?.[1] ?? []);
  const kinds = (Object.keys(TYPES) as CacheEntry["kind"][]).filter((kind) => types.includes(TYPES[kind]));
  return {
    all,
    ...(keepDuration > 0n ? { until: now - Number(keepDuration / NANOSECONDS_PER_MILLISECOND) } : {}),
    ...(reservedSpace > 0n ? { keep: Number(reservedSpace) } : {}),
    ...(types.length > 0 ? { kinds } : {}),
    ...(ids.length > 0 ? { ids } : {}),
  };
}
