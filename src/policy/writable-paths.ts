import type { HostConfig } from "../spec/mod.ts";

/** Where a container may write by its mounts; with a root that is not read-only, `/` first. Each once. */
export function writablePaths(
  { ReadonlyRootfs, Tmpfs, Mounts }: HostConfig,
  mounts: readonly { readonly destination: string; readonly writable: boolean }[],
): readonly string[] {
  return [
    ...new Set([
      ...(ReadonlyRootfs ? [] : ["/"]),
      ...Object.keys(Tmpfs ?? {}),
      ...(Mounts ?? []).flatMap(({ Type, Target }) => (Type === "tmpfs" ? [Target] : [])),
      ...mounts.filter(({ writable }) => writable).map(({ destination }) => destination),
      "/dev/shm",
      "/dev/mqueue",
    ]),
  ];
}
